// Tables of the company; company_setup.cc makes the calls.
#include "company.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace potok::ctl {
namespace {

constexpr char kMoscow[] = "Europe/Moscow";
constexpr char kVladivostok[] = "Asia/Vladivostok";

}  // namespace

const std::vector<Person>& People() {
  static const auto* const people = new std::vector<Person>{
      {"gromov", "Виктор Громов", "генеральный директор", "company", "", kMoscow},
      // Those who head departments.
      {"krylova", "Марина Крылова", "начальник отдела кадров", "hr", "gromov", kMoscow},
      {"orlov", "Павел Орлов", "руководитель ИТ", "it", "gromov", kMoscow},
      {"titova", "Наталья Титова", "главный бухгалтер", "accounting", "gromov", kMoscow},
      {"savelyeva", "Инна Савельева", "начальник АХО", "facilities", "gromov", kMoscow},
      {"volkov", "Сергей Волков", "начальник производства", "production", "gromov", kMoscow},
      {"vlasova", "Татьяна Власова", "коммерческий директор", "sales", "gromov", kMoscow},
      {"kim", "Алексей Ким", "директор филиала", "vladivostok", "gromov", kVladivostok},
      // The ten agents.
      {"belova", "Лидия Белова", "специалист по кадрам", "hr", "krylova", kMoscow},
      {"zaytseva", "Ольга Зайцева", "специалист по кадрам", "hr", "krylova", kMoscow},
      {"garipov", "Тимур Гарипов", "инженер поддержки", "it", "orlov", kMoscow},
      {"lebedev", "Вадим Лебедев", "инженер поддержки", "it", "orlov", kMoscow},
      {"nikitina", "Юлия Никитина", "инженер поддержки", "it", "orlov", kMoscow},
      {"astafyev", "Роман Астафьев", "системный администратор", "it", "orlov", kMoscow},
      {"fomina", "Галина Фомина", "бухгалтер", "accounting", "titova", kMoscow},
      {"bykov", "Борис Быков", "бухгалтер", "accounting", "titova", kMoscow},
      {"melnik", "Алла Мельник", "бухгалтер", "accounting", "titova", kMoscow},
      {"panin", "Пётр Панин", "специалист АХО", "facilities", "savelyeva", kMoscow},
      // Those who ask.
      {"ivanova", "Анна Иванова", "технолог", "production", "volkov", kMoscow},
      {"kozlov", "Дмитрий Козлов", "мастер участка", "production", "volkov", kMoscow},
      {"smirnova", "Елена Смирнова", "кладовщик", "production", "volkov", kMoscow},
      {"zhukov", "Олег Жуков", "наладчик", "production", "volkov", kMoscow},
      {"sokolov", "Игорь Соколов", "менеджер по продажам", "sales", "vlasova", kMoscow},
      {"morozova", "Дарья Морозова", "менеджер по продажам", "sales", "vlasova", kMoscow},
      {"egorov", "Никита Егоров", "аналитик", "sales", "vlasova", kMoscow},
      {"pak", "Вера Пак", "менеджер филиала", "vladivostok", "kim", kVladivostok},
  };
  return *people;
}

const std::vector<DeskPlan>& Desks() {
  using namespace api::v1;  // NOLINT: the names of the modes, in a table.
  static const auto* const desks = new std::vector<DeskPlan>{
      {"it-support",
       "Техническая поддержка",
       DISTRIBUTION_MODE_ROUND_ROBIN,
       "it-terms",
       "orlov",
       2,
       true,
       3,
       {{"garipov", 1}, {"lebedev", 1}, {"nikitina", 1}, {"astafyev", 2}}},
      {"hr-certificates",
       "Справки из отдела кадров",
       DISTRIBUTION_MODE_ROUND_ROBIN,
       "standard",
       "krylova",
       1,
       false,
       3,
       {{"belova", 1}, {"zaytseva", 1}}},
      // One day of silence closes here: one sees it happen before the story ends.
      {"accounting",
       "Бухгалтерия",
       DISTRIBUTION_MODE_LEAST_LOADED,
       "accounting",
       "titova",
       1,
       false,
       1,
       {{"fomina", 1}, {"bykov", 1}, {"melnik", 1}}},
      {"passes",
       "Бюро пропусков",
       DISTRIBUTION_MODE_SELF_PICK,
       "standard",
       "savelyeva",
       1,
       false,
       3,
       {{"panin", 1}}},
      {"facilities",
       "Хозяйственный отдел",
       DISTRIBUTION_MODE_MANUAL,
       "standard",
       "savelyeva",
       1,
       false,
       3,
       {{"panin", 1}}},
  };
  return *desks;
}

std::vector<std::string> AgentIds() {
  std::vector<std::string> ids;
  for (const DeskPlan& desk : Desks()) {
    for (const DeskMember& member : desk.members) {
      if (std::find(ids.begin(), ids.end(), member.employee) == ids.end())
        ids.push_back(member.employee);
    }
  }
  return ids;
}

std::string NameOf(absl::string_view employee) {
  const absl::string_view id = absl::StripPrefix(employee, "employees/");
  for (const Person& person : People()) {
    if (id == person.id) return person.name;
  }
  return std::string(id);
}

std::string SurnameOf(absl::string_view employee) {
  const std::string name = NameOf(employee);
  const size_t space = name.rfind(' ');
  return space == std::string::npos ? name : name.substr(space + 1);
}

std::string MailOf(absl::string_view employee) {
  return absl::StrCat(absl::StripPrefix(employee, "employees/"), "@example.test");
}

const DeskPlan& DeskOf(absl::string_view flow) {
  const absl::string_view id = absl::StripPrefix(flow, "flows/");
  return *std::find_if(Desks().begin(), Desks().end(),
                       [&](const DeskPlan& desk) { return id == desk.flow; });
}

const char* HowRu(api::v1::DistributionMode mode) {
  switch (mode) {
    case api::v1::DISTRIBUTION_MODE_ROUND_ROBIN: return "по очереди";
    case api::v1::DISTRIBUTION_MODE_LEAST_LOADED: return "наименее занятому";
    case api::v1::DISTRIBUTION_MODE_MANUAL: return "раздаёт руководитель";
    case api::v1::DISTRIBUTION_MODE_SELF_PICK: return "берут сами";
    default: return "";
  }
}

}  // namespace potok::ctl
