# IntakeService: filing, verbs, lists, history and watching of tickets. Included by CMakeLists.txt beside it.
target_sources(potok_intake PRIVATE
  domain/admission.cc domain/list_fields.cc domain/ticket_content_hash.cc domain/ticket_filing.cc domain/ticket_lookups.cc
  store/list_tickets.cc store/ticket_reads.cc
  rpc/convert_event.cc rpc/convert_ticket.cc rpc/intake_rpc.cc rpc/intake_rpc_create.cc rpc/intake_rpc_verbs.cc
  rpc/watch.cc
  work/measure_admission.cc work/watch_hub.cc)
target_link_libraries(potok_intake PUBLIC potok_desk_ticket potok_obs OpenSSL::Crypto absl::synchronization)

potok_test(NAME intake_ticket_rules_test SRCS domain/admission_test.cc domain/list_fields_test.cc domain/ticket_filing_test.cc
  DEPS potok_intake)
potok_test(NAME intake_ticket_lookups_test SRCS domain/ticket_lookups_test.cc DEPS potok_intake)
potok_test(NAME intake_convert_ticket_test PCH grpc SRCS rpc/convert_ticket_test.cc DEPS potok_intake)
