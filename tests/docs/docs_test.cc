#include <fstream>
#include <iostream>
#include <sstream>

#include "gtest/gtest.h"

#include "desk/ticket/state.h"

namespace potok {
namespace {

std::string Read(const std::string& path) {
  std::ifstream file(std::string(POTOK_SOURCE_DIR "/") + path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Documents, ThePictureOfTheStateMachineIsTheTable) {
  const std::string text = Read("ARCHITECTURE.md");
  EXPECT_NE(text.find("```mermaid\n" + desk::MermaidPicture() + "```"), std::string::npos)
      << "put this into ARCHITECTURE.md:\n"
      << desk::MermaidPicture();
}

TEST(Documents, NothingIsLeftToBeFilledIn) {
  for (const char* path : {"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"}) {
    const std::string text = Read(path);
    ASSERT_FALSE(text.empty()) << path;
    for (const char* word : {"_PLACEHOLDER", "STATE_MACHINE"}) {
      EXPECT_EQ(text.find(word), std::string::npos) << path << " holds " << word;
    }
  }
}

}  // namespace
}  // namespace potok
