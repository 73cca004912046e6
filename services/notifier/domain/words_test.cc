#include "notifier/domain/words.h"

#include "gtest/gtest.h"

namespace potok::notifier {
namespace {

TEST(Words, RussianNumbersHaveThreePlurals) {
  const auto hours = [](int n) { return CountRu(n, "час", "часа", "часов"); };
  for (const int n : {1, 21, 101, 1001}) EXPECT_EQ(hours(n), std::to_string(n) + " час");
  for (const int n : {2, 3, 4, 22, 104}) EXPECT_EQ(hours(n), std::to_string(n) + " часа");
  for (const int n : {0, 5, 11, 12, 14, 20, 111, 112}) {
    EXPECT_EQ(hours(n), std::to_string(n) + " часов");
  }
  EXPECT_EQ(CountEn(1, "hour", "hours"), "1 hour");
  EXPECT_EQ(CountEn(2, "hour", "hours"), "2 hours");
}

TEST(Words, AnInstantReadsInTheGrammarOfItsPlace) {
  absl::TimeZone moscow;
  ASSERT_TRUE(absl::LoadTimeZone("Europe/Moscow", &moscow));
  const absl::Time now = absl::FromCivil(absl::CivilSecond(2026, 11, 16, 9, 0, 0), moscow);
  const absl::Time due = absl::FromCivil(absl::CivilSecond(2026, 11, 18, 18, 5, 0), moscow);
  EXPECT_EQ(Until(due, moscow, "ru", now), "среды 18 ноября 18:05");
  EXPECT_EQ(Until(due, moscow, "en", now), "Wednesday 18 November, 18:05");
  EXPECT_EQ(On(due, moscow, "ru", now), "в среду 18 ноября в 18:05");
  EXPECT_EQ(On(due - absl::Hours(24), moscow, "ru", now), "во вторник 17 ноября в 18:05");
  EXPECT_EQ(On(due, moscow, "en", now), "on Wednesday 18 November at 18:05");
  const absl::Time later = absl::FromCivil(absl::CivilSecond(2027, 1, 11, 9, 0, 0), moscow);
  EXPECT_EQ(Until(later, moscow, "ru", now), "понедельника 11 января 2027 года 09:00");
  EXPECT_EQ(Until(later, moscow, "en", now), "Monday 11 January 2027, 09:00");
}

TEST(Words, APersonIsAddressedByTheGivenName) {
  EXPECT_EQ(GivenName("Анна Иванова"), "Анна");
  EXPECT_EQ(GivenName("Иванова Анна"), "Анна");
  EXPECT_EQ(GivenName("Иванова Анна Петровна"), "Анна");
  EXPECT_EQ(GivenName("Пётр Ильич Чайковский"), "Пётр");
  EXPECT_EQ(GivenName("Кузьмина Вера"), "Вера");
  EXPECT_EQ(GivenName("Вера Кузьмина"), "Вера");
  EXPECT_EQ(GivenName("Ирина Марина"), "Ирина");
  EXPECT_EQ(GivenName("Екатерина Орлова"), "Екатерина");
  EXPECT_EQ(GivenName("Достоевский Фёдор"), "Фёдор");
  EXPECT_EQ(GivenName("John Smith"), "John");
  EXPECT_EQ(GivenName("Чингиз"), "Чингиз");
  EXPECT_EQ(GivenName("  caller 2403 "), "caller");
  EXPECT_EQ(GivenName(""), "");
}

}  // namespace
}  // namespace potok::notifier
