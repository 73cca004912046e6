# Makes a ctest entry of each row of the short suite, once the program is built: it knows its rows.
execute_process(COMMAND ${PROGRAM} --list OUTPUT_VARIABLE rows COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[0-9]+\tS\t" rows "${rows}")
set(text "")
foreach(row IN LISTS rows)
  string(REGEX MATCH "^[0-9]+" number "${row}")
  set(name ${number})
  if(number LESS 10)
    set(name 0${number})
  endif()
  string(APPEND text "add_test(chaos_row${name} \"${PROGRAM}\" --rows ${number})\n"
    "set_tests_properties(chaos_row${name} PROPERTIES LABELS chaos SKIP_RETURN_CODE 77 TIMEOUT 300 RUN_SERIAL ON)\n")
endforeach()
file(WRITE ${OUT} "${text}")
