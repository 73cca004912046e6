#include "notifier/store/text_folder.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace potok::notifier {
namespace {

constexpr std::uintmax_t kMostBytes = 64 * 1024;

}  // namespace

absl::StatusOr<std::map<std::string, std::string>> ReadTextFolder(const std::string& folder) {
  namespace fs = std::filesystem;
  std::map<std::string, std::string> texts;
  if (folder.empty()) return texts;
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    return absl::NotFoundError(absl::StrCat("templates.folder: there is no folder ", folder));
  }
  for (const char* locale : {"ru", "en"}) {
    const fs::path of_locale = fs::path(folder) / locale;
    for (const auto& entry : fs::directory_iterator(of_locale, error)) {
      if (entry.path().extension() != ".mustache") continue;
      const std::string name = absl::StrCat(locale, "/", entry.path().stem().string());
      if (entry.file_size(error) > kMostBytes) {
        return absl::InvalidArgumentError(
            absl::StrCat("template ", name, " is longer than ", kMostBytes, " bytes"));
      }
      std::ifstream in(entry.path(), std::ios::binary);
      texts[name] = std::string(std::istreambuf_iterator<char>(in), {});
    }
  }
  return texts;
}

}  // namespace potok::notifier
