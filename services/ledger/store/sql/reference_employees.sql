-- Employees whose row was written by transaction $1 or a later one ('0': all). Rows are never deleted: who leaves is not active
-- any more.
SELECT id, name, email, department, manager, zone, locale, active FROM intake.employee WHERE changed_by >= $1::text::xid8
