// A row of the fault matrix (design, reliability section 3). A group of rows is a file
// rows_GROUP.cc that exports one list; rows.cc puts the lists together.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

#include "chaos/choices.h"
#include "chaos/evidence.h"
#include "chaos/judge.h"
#include "chaos/plant.h"
#include "chaos/traffic.h"

namespace potok::chaos {

// Where a fault is done. Load runs and the judge watches all the while.
struct Scene {
  Plant& plant;
  Traffic& traffic;
  Judge& judge;
  Choices& choices;  // Of this run: victims, instants.
  Evidence& evidence;
  absl::Duration length;  // How long the fault is to go on, where that is a choice.
  // The database's clock when the fault began and, for `afterwards`, when the load ended.
  double began = 0;
  double ended = 0;

  // Load goes on for so long; nothing else is waited for.
  void Let(absl::Duration pass) const;
  // One line of progress.
  void Say(const std::string& what) const;
};

struct Row {
  int number = 0;
  std::string fault;    // For the table: "kill -9 intake mid-create".
  std::string expects;  // What the row adds to what every row asserts.
  // Of the fault. The load before it and after it, the drain and the checks come on top.
  absl::Duration length = absl::Seconds(6);
  bool in_short_suite = true;  // Part of a plain `tools/dev test`.
  PlantOptions plant;
  TrafficOptions traffic;
  absl::Duration drain = absl::Seconds(60);  // The longest time until all is quiet afterwards.
  // Breaks things, proves it with Scene::evidence, and returns. What it leaves broken is healed
  // afterwards. UNIMPLEMENTED: this machine cannot do it; the run is skipped and says why.
  std::function<absl::Status(Scene&)> fault_of;
  // Called after the drain and the checks, for what is measured then; may be empty.
  std::function<void(Scene&)> afterwards;
  // Not empty: a test of the judge. The run is good when its violations hold each of these texts.
  std::vector<std::string> must_see;
};

const std::vector<Row>& AllRows();

// The groups.
std::vector<Row> PlantedRows();
std::vector<Row> ProcessRows();
std::vector<Row> ZombieRows();
std::vector<Row> PostgresRows();
std::vector<Row> ContentionRows();
std::vector<Row> FullDiskRows();
std::vector<Row> RedisRows();
std::vector<Row> NetworkRows();
std::vector<Row> InputRows();
std::vector<Row> NoticeRows();
std::vector<Row> LoadRows();
std::vector<Row> PoisonRows();

}  // namespace potok::chaos
