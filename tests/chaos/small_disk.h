// A disk of a few megabytes, to be full.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace potok::chaos {

// From here on what this thread and the processes it starts mount is seen by nobody else, and goes
// with them. PERMISSION_DENIED where that is not allowed.
absl::Status MountPrivately();

// A tmpfs over a folder, until this ends. Processes that were started before MountPrivately do not
// see it. Used from one thread.
class SmallDisk {
 public:
  SmallDisk() = default;
  ~SmallDisk() { Unmount(); }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  // What the folder holds becomes invisible. The new root has the folder's owner and mode.
  absl::Status Mount(const std::string& folder, int64_t bytes);
  void Unmount();

  // Takes whatever room is left, and again what was freed meanwhile; says how many bytes it took.
  int64_t Fill();
  void Free();

 private:
  std::string folder_;
};

// Size of all files below.
int64_t BytesIn(const std::string& folder);
// An empty folder with the owner and the mode of another.
absl::Status MakeFolderLike(const std::string& folder, const std::string& other);
// The same content with the same owners elsewhere, by cp.
absl::Status CopyContent(const std::string& from, const std::string& to);

}  // namespace potok::chaos
