#include "story_requests.h"

#include <functional>
#include <string_view>

#include "absl/strings/string_view.h"

namespace potok::ctl {
namespace {

constexpr char kIt[] = "it-support";
constexpr char kHr[] = "hr-certificates";
constexpr char kAcc[] = "accounting";
constexpr char kPass[] = "passes";
constexpr char kAho[] = "facilities";

// One of `texts`, always the same for one request.
template <size_t N>
const char* Pick(const StoryRequest& request, const char* const (&texts)[N]) {
  return texts[std::hash<std::string_view>()(request.title) % N];
}

}  // namespace

const std::vector<StoryRequest>& FillingRequests() {
  static const auto* const requests = new std::vector<StoryRequest>{
      {0, "09:12", "smirnova", kAcc, "Оплатите счёт за стеллажи, поставщик ждёт",
       R"({"kind":"invoice","amount":184500,"inn":"7712345678","document_number":"441","document_date":"2026-11-12"})",
       Turn::kPlain, 5, "Спасибо, стеллажи уже едут"},
      {0, "09:15", "kozlov", kAcc, "верните за бензин, ездил на карьер за образцами",
       R"({"kind":"reimbursement","amount":2840,"expenses":["travel"]})", Turn::kAsks, 4},
      {0, "09:18", "egorov", kAcc, "Расчётный листок за октябрь не пришёл",
       R"({"kind":"payslip","period":"2026-10-01/2026-10-31"})", Turn::kSilent},
  };
  return *requests;
}

const std::vector<StoryRequest>& StoryRequests() {
  static const auto* const requests = new std::vector<StoryRequest>{
      // Monday.
      {0, "09:10", "kozlov", kIt, "Принтер в 214 жуёт бумагу и пищит",
       R"({"category":"printer","place":"корпус 2, каб. 214","inventory_number":"INV-004217"})",
       Turn::kPlain, 5},
      {0, "09:20", "morozova", kIt, "забыла пароль после отпуска((", R"({"category":"account"})",
       Turn::kPlain, 5, "За пять минут, вот это сервис!"},
      {0, "09:25", "vlasova", kPass, "Гости из «Сибмаша» в среду, 3 человека",
       R"({"kind":"guest","guests":"Петров Иван Сергеевич\nЛунин Олег Павлович\nФёдорова Анна Ильинична","period":"2026-11-18/2026-11-18"})"},
      {0, "09:30", "zhukov", kIt, "1С вылетает при печати накладной, склад стоит!",
       R"({"category":"software","system":"1С:ERP","stops_work":true})", Turn::kPlain, 4, "",
       "Ошибка: «Недостаточно памяти»", true},
      {0, "09:50", "smirnova", kAho, "Перегорели две лампы над воротами склада",
       R"({"kind":"electricity","place":"склад 1, ворота 3"})", Turn::kPlain, 5},
      {0, "10:05", "morozova", kHr, "Справка с работы для визы в Китай",
       R"({"kind":"employment","delivery":"printed","copies":2,"purpose":"визовый центр"})",
       Turn::kPlain, 5},
      {0, "10:20", "zhukov", kPass, "Пропуск на машину сервиса, в четверг приедут к станку",
       R"({"kind":"vehicle","plate":"А123ВС777","period":"2026-11-19/2026-11-19"})"},
      {0, "10:25", "volkov", kAcc, "Акт сверки с «Металлторгом» за третий квартал",
       R"({"kind":"reconciliation","inn":"5001234567","period":"2026-07-01/2026-09-30"})",
       Turn::kPlain, 4},
      {0, "10:40", "egorov", kIt, "Нужен доступ к папке «Продажи 2026»",
       R"({"category":"access","system":"файловый сервер","rights":["read","write"],"approver":"employees/vlasova"})",
       Turn::kAsks, 5},
      {0, "11:00", "vlasova", kAcc, "Счёт за выставку, последний день скидки завтра",
       R"({"kind":"invoice","amount":356000,"inn":"7801234567","document_number":"ВС-118","document_date":"2026-11-13"})",
       Turn::kPlain, 5},
      {0, "11:15", "volkov", kIt, "Не слышно меня в видеозвонках, микрофон?",
       R"({"category":"hardware","place":"корпус 1, каб. 301"})", Turn::kLate, 3,
       "День молчал на совещаниях"},
      {0, "11:40", "kozlov", kHr, "копия трудовой для ипотеки, заверенная",
       R"({"kind":"work-record","delivery":"printed","purpose":"банк"})", Turn::kAsks, 4},
      {0, "12:10", "morozova", kAho, "Кончилась бумага А4 и вода в продажах",
       R"({"kind":"supplies","place":"3 этаж, отдел продаж","items":["paper","water"]})",
       Turn::kPlain, 4},
      {0, "12:30", "sokolov", kIt, "Почта на телефоне просит пароль по кругу",
       R"({"category":"account"})", Turn::kSilent},
      {0, "14:05", "smirnova", kIt, "сканер штрихкодов не читает, мигает красным",
       R"({"category":"hardware","place":"склад 1","inventory_number":"INV-003981"})",
       Turn::kReturned, 3, "Со второго раза"},
      {0, "14:15", "titova", kIt, "Обновите СБИС, не уходит отчётность",
       R"({"category":"software","system":"СБИС"})", Turn::kLate, 3, "Отчёт сдали в последний час"},
      {0, "14:40", "zhukov", kAcc, "Аванс на командировку в Тулу, 3 дня",
       R"({"kind":"advance","amount":18000,"trip":"2026-11-24/2026-11-26"})", Turn::kPlain, 5},
      {0, "15:10", "egorov", kPass, "Пропуск новому аналитику с завтрашнего дня",
       R"({"kind":"employee","for_employee":"employees/egorov"})"},
      {0, "15:30", "krylova", kIt, "Монитор моргает раз в минуту, голова болит",
       R"({"category":"hardware","place":"корпус 1, каб. 112","inventory_number":"INV-002750"})",
       Turn::kPlain, 5},
      {0, "16:00", "ivanova", kAho, "В цехе 4 холодно, +14 на термометре",
       R"({"kind":"climate","place":"цех 4, участок сборки"})", Turn::kPlain, 3,
       "Потеплело, но дует"},
      {0, "16:30", "vlasova", kHr, "Справка о доходах свободной формы за полгода",
       R"({"kind":"salary","period":"2026-05-01/2026-10-31","delivery":"mail","address":"vlasova@example.test"})",
       Turn::kSilent},
      {0, "17:10", "kozlov", kIt, "поставьте компас-3д новому технологу",
       R"({"category":"software","system":"КОМПАС-3D"})", Turn::kCancelled},
      // Tuesday.
      {1, "09:05", "sokolov", kIt, "CRM грузится по минуте каждое утро",
       R"({"category":"software","system":"CRM"})", Turn::kLate, 3, "Стало быстрее, но не летает"},
      {1, "09:15", "volkov", kIt, "Во втором корпусе нет сети на всём этаже",
       R"({"category":"network","place":"корпус 2, этаж 2","stops_work":true})", Turn::kPlain, 5,
       "Подняли за час, молодцы", "Коммутатор в щитовой не горит", true},
      {1, "09:30", "egorov", kAcc, "Возместите за курсы по аналитике",
       R"({"kind":"reimbursement","amount":24900,"expenses":["training"]})", Turn::kAsks, 5},
      {1, "09:45", "smirnova", kPass, "Вынос стеллажей на списание, 6 штук",
       R"({"kind":"goods","goods":"Стеллаж складской, 6 шт., инв. 1187-1192","period":"2026-11-17/2026-11-18"})"},
      {1, "10:10", "zhukov", kHr, "2-НДФЛ за прошлый год для налогового вычета",
       R"({"kind":"2-ndfl","period":"2025-01-01/2025-12-31","delivery":"printed"})", Turn::kPlain,
       5},
      {1, "10:30", "gromov", kIt, "Подключите проектор в переговорной к 14:00",
       R"({"category":"hardware","place":"переговорная «Байкал»"})", Turn::kPlain, 5,
       "Всё готово вовремя"},
      {1, "10:45", "ivanova", kIt, "Не печатает чертежи А1, отправляю и тишина",
       R"({"category":"printer","place":"корпус 2, каб. 220"})", Turn::kPlain, 4},
      {1, "11:30", "kozlov", kAcc, "счет за спецодежду, размеры согласованы",
       R"({"kind":"invoice","amount":97300,"inn":"6321234567","document_number":"2091","document_date":"2026-11-16"})",
       Turn::kPlain, 4},
      {1, "11:50", "morozova", kIt, "Пропали контакты в почте, все до одного",
       R"({"category":"software","system":"Почта"})", Turn::kReturned, 4, "В итоге нашли всё"},
      {1, "12:15", "titova", kAho, "Сломался замок в сейфовой комнате",
       R"({"kind":"repair","place":"корпус 1, каб. 118"})", Turn::kPlain, 5},
      {1, "14:10", "vlasova", kPass, "Гость завтра в 11, представитель банка",
       R"({"kind":"guest","guests":"Орехов Михаил Львович","period":"2026-11-18/2026-11-18","host":"employees/vlasova"})"},
      {1, "14:20", "egorov", kIt, "Excel не открывает выгрузку на 2 млн строк",
       R"({"category":"software","system":"Excel"})", Turn::kAsks, 4},
      {1, "14:50", "smirnova", kAcc,
       "Сверка с «Упаковкой плюс», расходимся на 1 200 ₽",
       R"({"kind":"reconciliation","inn":"7743123456","period":"2026-10-01/2026-10-31"})",
       Turn::kSilent},
      {1, "15:20", "sokolov", kHr, "Справка с места работы в детский сад",
       R"({"kind":"employment","delivery":"printed","purpose":"детский сад"})", Turn::kPlain, 5},
      {1, "15:40", "zhukov", kIt, "Клавиатуру залил чаем, каюсь",
       R"({"category":"hardware","place":"цех 4, пульт ЧПУ"})", Turn::kPlain, 5,
       "Без лишних вопросов :)"},
      {1, "16:10", "kim", kAcc, "Филиалу: оплата аренды за декабрь",
       R"({"kind":"invoice","amount":412000,"inn":"2540123456","document_number":"12-А","document_date":"2026-11-17"})",
       Turn::kPlain, 5},
      {1, "16:40", "krylova", kAho, "Рабочее место новому сотруднику к понедельнику",
       R"({"kind":"workplace","place":"корпус 1, каб. 112","needed_on":"2026-11-23"})",
       Turn::kPlain, 5},
      // Wednesday.
      {2, "09:05", "volkov", kIt, "После обновления не открывается журнал смен",
       R"({"category":"software","system":"MES"})", Turn::kPlain, 4},
      {2, "09:20", "morozova", kIt, "нет звука на созвоне с клиентом",
       R"({"category":"hardware","place":"3 этаж, отдел продаж"})", Turn::kPlain, 5},
      {2, "09:40", "kozlov", kPass, "Пропуск взамен утерянного, потерял в электричке",
       R"({"kind":"lost"})"},
      {2, "09:50", "vlasova", kAcc, "Возмещение: гостиница на выставке",
       R"({"kind":"reimbursement","amount":15600,"expenses":["hotel","travel"]})", Turn::kPlain, 5},
      {2, "10:20", "ivanova", kIt, "Дайте доступ к КОМПАС-библиотеке крепежа",
       R"({"category":"access","system":"КОМПАС-3D","rights":["read"]})", Turn::kPlain, 5},
      {2, "10:50", "egorov", kIt, "VPN отваливается каждые полчаса",
       R"({"category":"network","place":"дома"})", Turn::kPlain, 3},
      {2, "11:10", "smirnova", kHr, "Копия трудовой книжки в пенсионный",
       R"({"kind":"work-record","delivery":"printed","purpose":"СФР"})", Turn::kPlain, 5},
      {2, "11:30", "zhukov", kAho, "Батарейки в пульт крана и перчатки",
       R"({"kind":"supplies","place":"цех 4","items":["batteries","household"]})", Turn::kPlain, 5},
      {2, "12:20", "titova", kIt, "Токен ЭЦП не виден после перезагрузки",
       R"({"category":"hardware","place":"корпус 1, каб. 118"})", Turn::kPlain, 5},
      {2, "14:10", "sokolov", kIt, "Договор печатается без печати, поля съехали",
       R"({"category":"printer","place":"3 этаж, отдел продаж"})", Turn::kPlain, 4},
      {2, "14:40", "volkov", kHr, "Справка о доходах для субсидии на коммуналку",
       R"({"kind":"salary","period":"2026-05-01/2026-10-31","delivery":"printed"})"},
      {2, "15:10", "kozlov", kAcc, "возместите такси, ночная смена без автобуса",
       R"({"kind":"reimbursement","amount":1240,"expenses":["travel"]})", Turn::kAsks},
      {2, "15:40", "egorov", kIt, "Нужен второй монитор, таблицы не влезают",
       R"({"category":"hardware","place":"3 этаж, отдел продаж"})", Turn::kAsks},
      {2, "17:00", "vlasova", kPass, "Вынос выставочного стенда в пятницу",
       R"({"kind":"goods","goods":"Стенд разборный, 4 ящика","period":"2026-11-20/2026-11-20"})"},
      {2, "17:20", "smirnova", kAho, "Скрипит и не закрывается дверь в раздевалку",
       R"({"kind":"repair","place":"цех 4, раздевалка"})"},
      {2, "17:40", "morozova", kIt, "Завис планшет на стенде в холле",
       R"({"category":"hardware","place":"холл, 1 этаж"})"},
      {2, "18:08", "kim", kIt, "Филиал: отчёт за месяц не выгружается в Excel",
       R"({"category":"software","system":"Excel"})"},
  };
  return *requests;
}

std::string ResultFor(const StoryRequest& request) {
  static constexpr const char* kItDone[] = {
      "Исправлено, проверили вместе. Если повторится, пишите сюда же.",
      "Заменили и настроили, можно работать.", "Сделано. Перезагрузите компьютер один раз."};
  static constexpr const char* kHrDone[] = {"Готово, можно забрать в каб. 112 до 18:00.",
                                            "Документ подготовлен и подписан."};
  static constexpr const char* kAccDone[] = {"Проведено, деньги поступят завтра.",
                                             "Оплачено, платёжка в приложении.",
                                             "Готово, отправили на почту."};
  const absl::string_view flow = request.flow;
  if (flow == kIt) return Pick(request, kItDone);
  if (flow == kHr) return Pick(request, kHrDone);
  if (flow == kAcc) return Pick(request, kAccDone);
  if (flow == kPass) return "Пропуск на проходной, вход по паспорту.";
  return "Сделано, посмотрите, пожалуйста.";
}

std::string QuestionFor(const StoryRequest& request) {
  const absl::string_view flow = request.flow;
  if (flow == kIt) return "Пришлите, пожалуйста, имя компьютера и снимок ошибки.";
  if (flow == kHr) return "Сколько экземпляров нужно и кому предъявляете?";
  return "Приложите чек или скан счёта, без него не проведём.";
}

std::string AnswerFor(const StoryRequest& request) {
  const absl::string_view flow = request.flow;
  if (flow == kIt) return "PC-0418, снимок отправил(а) на почту.";
  if (flow == kHr) return "Два, в банк.";
  return "Приложил(а), извините, забыл(а).";
}

}  // namespace potok::ctl
