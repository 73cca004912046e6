// A whole Potok of real processes on storage of its own, and everything that can be done to it:
//
//   Plant plant({.replicas = 2});
//   Service& victim = plant.service("router", 0);
//   victim.Kill(SIGKILL);
//   plant.service("intake", 1).to_postgres().Set({.delay_up = absl::Milliseconds(50)});
//   victim.Start();
//
// Every service reaches Postgres, Redis and the mail sink through links (link.h) of its own, so a
// fault can hit one replica. All processes end with this program. Used from the main thread, which
// must live as long as the processes; what is marked so, from any.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "chaos/link.h"
#include "chaos/storage.h"
#include "platform/testing/stack.h"

namespace potok::chaos {

// "intake", "router", "sla-timer", "notifier", "analytics".
const std::vector<std::string>& ServiceNames();

struct PlantOptions {
  int replicas = 2;
  // Business seconds per real second: an hour's term ends in a second.
  double time_scale = 3600;
  // Lines added to the configuration of a service, by its name; "" for all of them.
  std::map<std::string, std::string> config;
  // Programs instead of those of this build, by service: {"intake": "/path/of/potok-intake"}.
  std::map<std::string, std::string> programs;
  std::vector<std::string> postgres;  // Settings: "max_connections=40".
  std::vector<std::string> redis;     // Arguments: "--maxmemory", "4mb".
  std::vector<std::string> sink;      // Arguments of tools/sink.
  // Where the data of Postgres or Redis is; empty: in the folder of the run.
  std::string postgres_folder;
  std::string redis_folder;
};

class Plant;

// One replica of one service.
class Service {
 public:
  const std::string& name() const { return name_; }
  int replica() const { return replica_; }
  // "router/1".
  std::string label() const;
  // Where its clients connect: a unix socket, the same after each start.
  std::string address() const { return "unix:" + socket_; }
  // A TCP address of the same server; another after each start.
  std::string tcp_address() const;

  void Start(bool wait_until_ready = true);
  void AwaitReady();
  bool ready() const;  // By its own log.
  // Ends it without ceremony (SIGKILL) and waits for that, or kills only, to kill several at once.
  void Kill(bool wait = true);
  // SIGTERM; how long it took to end. Infinite, and then killed, when it did not within `patience`.
  absl::Duration Stop(absl::Duration patience = absl::Seconds(20));
  // The same in two steps, to stop several at once. How: "exit 0".
  void AskToStop();
  bool Ended(std::string* how);
  void Pause();     // SIGSTOP
  void Continue();  // SIGCONT
  bool paused() const { return paused_; }
  // Another build of it from the next start on; "": this one.
  void UseProgram(const std::string& program) {
    program_ = program.empty() ? own_program_ : program;
  }
  bool running() const { return process_.running(); }
  pid_t pid() const { return process_.pid(); }

  // What ended it when nobody asked it to; empty: all is well. Any thread.
  std::string Unexpected();

  Link& to_postgres() { return *to_postgres_; }
  Link& to_redis() { return *to_redis_; }
  Link& to_sink() { return *to_sink_; }  // Of the notifier only.

  int64_t rss_kib() const;
  int fds() const;
  // Sum of the samples of a metric whose line starts with `prefix` ("potok_pool_rejected_total" or
  // "potok_loop_turns_total{loop=\"relay\""); unset when the page cannot be read or has none.
  std::optional<double> Metric(const std::string& prefix) const;
  // The log since the last start, or since the very first one.
  std::string Log(bool whole = false) const;
  std::string log_file() const { return log_; }

 private:
  friend class Plant;
  Service() = default;
  std::string MetricsPage() const;

  const Plant* plant_ = nullptr;
  std::string name_, program_, own_program_, socket_, config_, log_, addresses_;
  int replica_ = 0;
  Link* to_postgres_ = nullptr;
  Link* to_redis_ = nullptr;
  Link* to_sink_ = nullptr;
  testing::Process process_;
  size_t log_from_ = 0;
  bool expected_ = false;
  bool paused_ = false;
  mutable absl::Mutex mu_;  // process_, expected_
};

// A mail that the sink has.
struct Mail {
  std::string message_id;
  std::string to;
  std::string subject;
};

class Sink {
 public:
  Sink(std::string folder, std::vector<std::string> arguments);
  void Start();  // At the same port as before.
  void Kill();
  std::string target() const;  // "127.0.0.1:PORT"
  // Everything received so far, in order.
  std::vector<Mail> Mails() const;
  int64_t count() const;

 private:
  const std::string folder_;
  const std::vector<std::string> arguments_;
  std::string target_;
  testing::Process process_;
};

class Plant {
 public:
  explicit Plant(PlantOptions options);
  ~Plant();
  Plant(const Plant&) = delete;
  Plant& operator=(const Plant&) = delete;

  const PlantOptions& options() const { return options_; }
  Postgres& postgres() { return *postgres_; }
  Redis& redis() { return *redis_; }
  Sink& sink() { return *sink_; }
  LinkHub& links() { return links_; }

  Service& service(const std::string& name, int replica);
  std::vector<Service*> replicas(const std::string& name);
  std::vector<Service*> all();

  // The database's clock, for instants that are compared with its rows. In seconds since the epoch.
  double Now();
  // What ended by itself; empty: nothing did. Any thread.
  std::vector<std::string> Unexpected();
  // Links whole, nobody paused, storage up, every service started and ready.
  void Heal();
  // The last warnings and errors of every log, for a run that went wrong.
  std::string LastWords(int lines_each) const;

 private:
  void MakeService(const std::string& name, int replica);
  void WriteConfig(const Service& service);

  const PlantOptions options_;
  const std::string folder_;
  LinkHub links_;
  std::unique_ptr<Postgres> postgres_;
  std::unique_ptr<Redis> redis_;
  std::unique_ptr<Sink> sink_;
  std::vector<std::unique_ptr<Service>> services_;
};

}  // namespace potok::chaos
