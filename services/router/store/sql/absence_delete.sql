DELETE FROM router.absence WHERE id = $2::uuid AND employee = $1
