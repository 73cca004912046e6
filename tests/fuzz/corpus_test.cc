// Every input under corpus/ keeps the promises of its target. libFuzzer invents inputs; those that
// broke something once are kept there and repeated here, with any compiler.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "fuzz/target.h"

namespace potok::fuzz {
namespace {

using Target = void (*)(absl::string_view);

void RepeatAll(const char* name, Target target) {
  const std::filesystem::path folder = std::filesystem::path(POTOK_FUZZ_CORPUS) / name;
  std::vector<std::filesystem::path> files;
  for (const auto& file : std::filesystem::directory_iterator(folder)) files.push_back(file.path());
  ASSERT_FALSE(files.empty()) << folder;
  std::sort(files.begin(), files.end());
  for (const std::filesystem::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    ASSERT_TRUE(in) << file;
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    NameInput(file.string());
    target(text);
    // And with every tail cut off up to a point: what was cut short on its way must do no harm.
    for (size_t cut = 1; cut < 8; ++cut) target(text.substr(0, text.size() * cut / 8));
    NameInput("");
  }
}

TEST(KeptInput, OfFiltersKeepsThePromises) { RepeatAll("filter", FuzzFilter); }
TEST(KeptInput, OfFormsKeepsThePromises) { RepeatAll("form", FuzzForm); }
TEST(KeptInput, OfTokensKeepsThePromises) { RepeatAll("token", FuzzToken); }
TEST(KeptInput, OfStreamsKeepsThePromises) { RepeatAll("stream", FuzzStream); }
TEST(KeptInput, OfStoredJsonKeepsThePromises) { RepeatAll("stored", FuzzStored); }
TEST(KeptInput, OfNoticesKeepsThePromises) { RepeatAll("notice", FuzzNotice); }
TEST(KeptInput, OfImportsKeepsThePromises) { RepeatAll("import", FuzzImport); }
TEST(KeptInput, OfRequestsKeepsThePromises) { RepeatAll("request", FuzzRequest); }

TEST(BrokenPromise, EndsTheProgramAndNamesTheInput) {
  NameInput("corpus/filter/some");
  EXPECT_DEATH(CheckRefusal(absl::InternalError("a bug")), "input: corpus/filter/some");
  NameInput("");
}

}  // namespace
}  // namespace potok::fuzz
