SELECT id, parent FROM intake.department;
