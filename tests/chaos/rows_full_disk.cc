// Row 25: disks without room, under the tables, under the WAL, under Redis and under the logs.
#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "base/status_macros.h"
#include "chaos/attempts.h"
#include "chaos/first_success.h"
#include "chaos/probe.h"
#include "chaos/row.h"
#include "chaos/small_disk.h"
#include "platform/testing/signal.h"

namespace potok::chaos {
namespace {

namespace fs = std::filesystem;
using testing::Eventually;

constexpr int64_t kRoom = 16 << 20;  // Beyond what is there.
constexpr double kBackWithin = 10;

// Moves `folder` to a disk of its own with a little room; the server of it rests meanwhile.
absl::Status MoveToSmallDisk(SmallDisk& disk, const std::string& folder) {
  const std::string aside = folder + ".aside";
  fs::rename(folder, aside);
  POTOK_RETURN_IF_ERROR(MakeFolderLike(folder, aside));
  POTOK_RETURN_IF_ERROR(disk.Mount(folder, BytesIn(aside) + kRoom));
  POTOK_RETURN_IF_ERROR(CopyContent(aside, folder));
  fs::remove_all(aside);
  return absl::OkStatus();
}

absl::Status MoveBack(SmallDisk& disk, const std::string& folder) {
  const std::string aside = folder + ".aside";
  disk.Free();
  POTOK_RETURN_IF_ERROR(MakeFolderLike(aside, folder));
  POTOK_RETURN_IF_ERROR(CopyContent(folder, aside));
  disk.Unmount();
  fs::remove_all(folder);
  fs::rename(aside, folder);
  return absl::OkStatus();
}

// The tables' disk is full: Postgres lives and refuses to write.
absl::Status FullTables(Scene& scene) {
  Postgres& postgres = scene.plant.postgres();
  const std::string data = postgres.folder() + "/data", wal = postgres.folder() + "/wal";
  SmallDisk disk;
  postgres.End(Postgres::Stop::kFast);
  fs::rename(data + "/pg_wal", wal);
  fs::create_directory_symlink(wal, data + "/pg_wal");
  POTOK_RETURN_IF_ERROR(MoveToSmallDisk(disk, data));
  postgres.Start();
  scene.Let(absl::Seconds(1));

  const pid_t server = postgres.pid();
  const Attempts attempts(scene);
  const int refused = CountInPostgresLog(scene, "No space left on device");
  const absl::Duration end = Monotonic() + scene.length / 4;
  scene.Say(absl::StrCat("the disk of the tables is full, ", disk.Fill(), " bytes taken"));
  while (Monotonic() < end) {
    scene.Let(absl::Milliseconds(100));
    disk.Fill();
  }
  const Attempts::Seen seen = attempts.seen();
  disk.Free();
  scene.Say("the disk of the tables has room again");
  MeasureFirstSuccess(scene, Monotonic(), kBackWithin);
  scene.evidence.Bite("writes refused by Postgres",
                      CountInPostgresLog(scene, "No space left on device") - refused);
  scene.evidence.Bite("attempts told to come again when the tables had no room",
                      std::min(seen.of("RESOURCE_EXHAUSTED"), seen.advised));
  scene.evidence.Expect(postgres.pid() == server && postgres.Answers(),
                        "Postgres did not live through a full disk of its tables");
  attempts.ExpectHonest();
  postgres.End(Postgres::Stop::kFast);
  POTOK_RETURN_IF_ERROR(MoveBack(disk, data));
  return absl::OkStatus();
}

// The WAL's disk is full: Postgres ends, and starts for good when there is room.
absl::Status FullWal(Scene& scene) {
  Postgres& postgres = scene.plant.postgres();
  const std::string wal = postgres.folder() + "/wal";
  SmallDisk disk;
  POTOK_RETURN_IF_ERROR(MoveToSmallDisk(disk, wal));
  postgres.Start();
  scene.Let(absl::Seconds(1));

  const Attempts attempts(scene);
  const int panics = CountInPostgresLog(scene, "PANIC");
  scene.Say(absl::StrCat("the disk of the WAL is full, ", disk.Fill(), " bytes taken"));
  // It goes on until its last segment is full.
  const bool ended = Eventually(
      [&] {
        disk.Fill();
        return CountInPostgresLog(scene, "PANIC") > panics;
      },
      absl::Seconds(30));
  scene.Say(ended ? "Postgres panicked" : "Postgres did not notice");
  const absl::Duration end = Monotonic() + scene.length / 4;
  while (Monotonic() < end) {
    scene.Let(absl::Milliseconds(100));
    disk.Fill();
  }
  const Attempts::Seen seen = attempts.seen();
  disk.Free();
  if (!postgres.Answers()) postgres.Start();  // As an init system does.
  scene.Say("the disk of the WAL has room again");
  MeasureFirstSuccess(scene, Monotonic(), kBackWithin);
  scene.evidence.Bite("ends of Postgres for want of WAL",
                      CountInPostgresLog(scene, "PANIC") - panics);
  scene.evidence.Bite("attempts told to come again without Postgres",
                      std::min(seen.of("UNAVAILABLE"), seen.advised));
  attempts.ExpectHonest();
  postgres.End(Postgres::Stop::kFast);
  POTOK_RETURN_IF_ERROR(MoveBack(disk, wal));
  postgres.Start();
  return absl::OkStatus();
}

// The disk of Redis is full: it refuses to write and still reads.
absl::Status FullRedis(Scene& scene) {
  const Attempts attempts(scene);
  Redis& redis = scene.plant.redis();
  // Not the folder of its socket, which the links must see.
  const std::string folder =
      fs::path(std::string(absl::StripPrefix(redis.target(), "unix:"))).parent_path() / "disk";
  fs::create_directory(folder);
  redis.Kill();
  SmallDisk disk;
  POTOK_RETURN_IF_ERROR(disk.Mount(folder, 8 << 20));
  redis.Start();
  for (const auto& setting : {std::pair("dir", folder.c_str()), std::pair("appendonly", "yes")}) {
    const auto set = redis.Command({"CONFIG", "SET", setting.first, setting.second});
    if (!set.ok()) return set.status();
  }
  const bool keeps = Eventually([&] {
    const auto info = redis.Command({"INFO", "persistence"});
    return info.ok() && absl::StrContains(info->text, "aof_enabled:1") &&
           absl::StrContains(info->text, "aof_rewrite_in_progress:0");
  });
  if (!keeps) return absl::InternalError("Redis does not begin to keep its data");
  scene.Let(absl::Seconds(2));
  const double begin = scene.plant.Now();
  scene.Say(absl::StrCat("the disk of Redis is full, ", disk.Fill(), " bytes taken"));
  // The last page of its file may still have room for what little a slow machine writes.
  const std::string more_than_a_page(8 << 10, 'x');
  int64_t refused = 0;
  const absl::Duration end = Monotonic() + scene.length / 4;
  while (Monotonic() < end) {
    scene.Let(absl::Milliseconds(100));
    disk.Fill();
    const auto answer = redis.Command({"SET", "anything", more_than_a_page});
    refused += absl::IsResourceExhausted(answer.status()) ? 1 : 0;
  }
  scene.evidence.Measure("assign p99 without room for Redis",
                         AssignQuantile(scene.plant, begin, scene.plant.Now(), 0.99), 0.5);
  disk.Free();
  const absl::Duration freed = Monotonic();
  scene.Say("the disk of Redis has room again");
  const bool back = Eventually(
      [&] {
        return redis.Command({"SET", "anything", "1"}).ok();
      },
      absl::Seconds(20));
  scene.evidence.Expect(back, "Redis does not write again");
  MeasureFirstSuccess(scene, freed, kBackWithin);
  scene.evidence.Bite("writes refused by Redis", refused);
  attempts.ExpectHonest();
  (void)redis.Command({"DEL", "anything"});
  redis.Kill();
  disk.Unmount();
  redis.Start();
  return absl::OkStatus();
}

// The disk of the logs is full: nobody minds.
absl::Status FullLogs(Scene& scene) {
  const Attempts attempts(scene);
  Service& service = scene.plant.service("intake", scene.choices.Below(2));
  const std::string log = service.log_file(), folder = log + ".disk";
  fs::create_directory(folder);
  SmallDisk disk;
  POTOK_RETURN_IF_ERROR(disk.Mount(folder, 256 << 10));
  service.Stop();
  // Its log is a link to the small disk from now on.
  fs::rename(log, log + ".before");
  fs::create_symlink(folder + "/log", log);
  service.Start();
  const int64_t acknowledged = scene.traffic.oracle().acknowledged();
  disk.Fill();
  const uintmax_t size = fs::file_size(log);
  const absl::Duration end = Monotonic() + scene.length / 4;
  while (Monotonic() < end) {
    scene.Let(absl::Milliseconds(100));
    disk.Fill();
  }
  scene.evidence.Expect(fs::file_size(log) - size < 4096, "the log grew although its disk is full");
  scene.evidence.Bite("creates while the log was full",
                      scene.traffic.oracle().acknowledged() - acknowledged);
  scene.evidence.Expect(service.Unexpected().empty(), "a full log ended a service");
  attempts.ExpectHonest();
  disk.Free();
  service.Stop();
  fs::remove(log);
  fs::rename(log + ".before", log);
  disk.Unmount();
  service.Start();
  return absl::OkStatus();
}

absl::Status FullDisks(Scene& scene) {
  if (const absl::Status able = MountPrivately(); !able.ok()) {
    return absl::UnimplementedError(absl::StrCat("no disk can be mounted here: ", able.message()));
  }
  POTOK_RETURN_IF_ERROR(FullTables(scene));
  POTOK_RETURN_IF_ERROR(FullWal(scene));
  POTOK_RETURN_IF_ERROR(FullRedis(scene));
  return FullLogs(scene);
}

}  // namespace

std::vector<Row> FullDiskRows() {
  std::vector<Row> rows;
  rows.push_back({.number = 25,
                  .fault = "no room on the disk of tables, of WAL, of Redis, of logs",
                  .expects = "callers are told to come again; nothing ends; back within 10 s",
                  .length = absl::Seconds(24),
                  .in_short_suite = false,
                  .plant = {.postgres = {"log_min_messages=error", "max_wal_size=32MB"},
                            .redis = {"--enable-protected-configs", "yes"}},
                  .fault_of = FullDisks});
  return rows;
}

}  // namespace potok::chaos
