UPDATE intake.flow SET version = $2 WHERE id = $1;
