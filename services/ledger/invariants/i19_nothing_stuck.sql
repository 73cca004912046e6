SELECT 0 AS part, '' AS what, '' AS detail WHERE false
