// The subcommands of potokctl. Each adds itself to the command line and returns its exit status.
#pragma once

#include <functional>

#include "CLI/CLI.hpp"
#include "absl/time/time.h"

#include "connection.h"

namespace potok::ctl {

// Set by the chosen subcommand's callback; run by main after the command line is known.
using Run = std::function<int()>;

void AddDemo(CLI::App& app, Where& where, Run& run);    // demo.cc: the story, or --data
void AddImport(CLI::App& app, Where& where, Run& run);  // import.cc: replay of a recorded log
void AddBoard(CLI::App& app, Where& where, Run& run);
void AddVerify(CLI::App& app, Where& where, Run& run);
void AddExplain(CLI::App& app, Where& where, Run& run);
void AddLoad(CLI::App& app, Where& where, Run& run);
void AddDeadLetters(CLI::App& app, Where& where, Run& run);  // dead_letters.cc

// Opens the connection or says on stderr why not; nullptr then.
std::unique_ptr<Connection> OpenOrSay(const Where& where);

// Prints each invariant with its rows; true when clean. With `quiescent` consumers may be a moment
// behind: it asks again until all is clean, at most for `wait` of real time.
bool PrintVerify(Connection& connection, bool quiescent, absl::Duration wait = absl::Seconds(30));
// Prints the board of a flow, or of all.
bool PrintBoards(Connection& connection, const std::string& flow);
// Prints call counts with p50 and p99.
void PrintLatencies(Connection& connection);
// Prints how late timers fired, in real time.
void PrintLateness(Connection& connection);
// Why a ticket is where it is: decisions with candidates, clock with counted intervals.
bool PrintExplain(Connection& connection, const std::string& ticket);

}  // namespace potok::ctl
