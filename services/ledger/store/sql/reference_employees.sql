SELECT id, name, email, department, manager, zone, locale, active FROM intake.employee;
