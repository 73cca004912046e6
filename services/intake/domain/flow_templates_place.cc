// Templates of the departments that keep the place running: IT, facilities, passes.
#include "intake/domain/flow_templates.h"
#include "intake/domain/form_fields.h"

namespace potok::intake {

using desk::FormField;

FlowTemplate ItSupportTemplate() {
  FlowTemplate made;
  made.id = "it-support";
  made.description_ru = "Техническая поддержка: компьютеры, доступы, программы, сеть, печать";
  made.description_en = "Technical support: computers, access, software, network, printing";
  desk::Flow& flow = made.flow;
  flow.name_ru = "Техническая поддержка";
  flow.name_en = "Technical support";
  flow.description = "Что-то не работает, нужен доступ или программа.";
  flow.prefix = "IT";
  flow.mode = desk::DistributionMode::kLeastLoaded;
  flow.options.agent_may_extend = true;
  flow.form.fields = {
      Required(Choice("category", "Что случилось", "What is it about",
                      {{"account", "Учётная запись, пароль", "Account, password"},
                       {"access", "Доступ к системе или папке", "Access to a system or folder"},
                       {"hardware", "Компьютер, монитор, телефон", "Computer, monitor, phone"},
                       {"printer", "Печать и сканирование", "Printing and scanning"},
                       {"software", "Программа", "Software"},
                       {"network", "Сеть, интернет, VPN", "Network, internet, VPN"},
                       {"other", "Другое", "Something else"}})),
      When("category", {"access", "software"},
           Required(Within(1, 200,
                           Question(FormField::kText, "system", "Система или программа",
                                    "System or program")))),
      When("category", {"access"},
           Choice("rights", "Какие права нужны", "Which rights",
                  {{"read", "Чтение", "Read"},
                   {"write", "Изменение", "Write"},
                   {"admin", "Администрирование", "Administer"}},
                  FormField::kMultiEnum)),
      When("category", {"access"},
           Question(FormField::kEmployee, "approver", "Кто согласовал", "Who agreed to it")),
      When("category", {"hardware", "printer", "network"},
           Within(1, 200,
                  Question(FormField::kText, "place", "Где находится (офис, комната)",
                           "Where it is (office, room)"))),
      When("category", {"hardware", "printer"},
           Help("С наклейки на корпусе, например INV-004217", "From the label, such as INV-004217",
                Matching("[A-Za-zА-Яа-я0-9-]{3,20}",
                         Question(FormField::kText, "inventory_number", "Инвентарный номер",
                                  "Inventory number")))),
      Default("false", Question(FormField::kBool, "stops_work", "Работать невозможно",
                                "Work is impossible")),
  };
  return made;
}

FlowTemplate FacilitiesTemplate() {
  FlowTemplate made;
  made.id = "facilities";
  made.description_ru = "Хозяйственный отдел: рабочие места, уборка, климат, электрика, расходники";
  made.description_en = "Facilities: desks, cleaning, climate, electricity, supplies";
  desk::Flow& flow = made.flow;
  flow.name_ru = "Хозяйственный отдел";
  flow.name_en = "Facilities";
  flow.description = "Офис и всё, что в нём: мебель, свет, тепло, вода, уборка, канцелярия.";
  flow.prefix = "AHO";
  flow.mode = desk::DistributionMode::kRoundRobin;
  flow.form.fields = {
      Required(Choice("kind", "Что нужно", "What is needed",
                      {{"repair", "Починить", "Repair"},
                       {"climate", "Холодно, жарко, душно", "Too cold, hot or stuffy"},
                       {"electricity", "Электрика и свет", "Electricity and light"},
                       {"cleaning", "Уборка", "Cleaning"},
                       {"supplies", "Расходные материалы", "Supplies"},
                       {"workplace", "Рабочее место, переезд", "Desk, move"},
                       {"other", "Другое", "Something else"}})),
      Required(Within(
          1, 200,
          Question(FormField::kText, "place", "Где (этаж, комната)", "Where (floor, room)"))),
      When("kind", {"supplies"},
           Required(Within(1, 6,
                           Choice("items", "Что именно", "What exactly",
                                  {{"paper", "Бумага", "Paper"},
                                   {"stationery", "Канцелярия", "Stationery"},
                                   {"water", "Вода", "Water"},
                                   {"cartridges", "Картриджи", "Cartridges"},
                                   {"batteries", "Батарейки", "Batteries"},
                                   {"household", "Хозтовары", "Household goods"}},
                                  FormField::kMultiEnum)))),
      When("kind", {"workplace"},
           Required(Question(FormField::kDate, "needed_on", "К какому дню", "Needed on"))),
      When("kind", {"workplace"},
           Question(FormField::kEmployee, "for_employee", "Для кого", "For whom")),
      When("kind", {"electricity", "repair"},
           Default("false", Question(FormField::kBool, "dangerous", "Это опасно для людей",
                                     "It endangers people"))),
  };
  return made;
}

FlowTemplate PassesTemplate() {
  FlowTemplate made;
  made.id = "passes";
  made.description_ru = "Пропуска: гости, сотрудники, автомобили, вынос имущества";
  made.description_en = "Passes: guests, employees, vehicles, carrying goods out";
  desk::Flow& flow = made.flow;
  flow.name_ru = "Бюро пропусков";
  flow.name_en = "Passes";
  flow.description = "Заказ пропуска для гостя, сотрудника или автомобиля, замена утерянного.";
  flow.prefix = "PASS";
  flow.mode = desk::DistributionMode::kSelfPick;
  flow.options.requester_accepts = false;  // A pass that was used is its own acceptance.
  flow.form.fields = {
      Required(Choice("kind", "Какой пропуск", "Which pass",
                      {{"guest", "Гостевой", "Guest"},
                       {"employee", "Сотруднику", "Employee"},
                       {"vehicle", "На автомобиль", "Vehicle"},
                       {"goods", "Материальный (вынос имущества)", "Goods"},
                       {"lost", "Взамен утерянного", "Replace a lost one"}})),
      When(
          "kind", {"guest"},
          Required(Help(
              "Фамилия, имя, отчество; каждый гость с новой строки", "Full names, one guest a line",
              Within(3, 2000,
                     Question(FormField::kText, "guests", "Кто придёт", "Who is coming"))))),
      When("kind", {"guest", "vehicle", "goods"},
           Required(
               Help("Первый и последний день", "First and last day",
                    Within(1, 92, Question(FormField::kDateRange, "period", "Когда", "When"))))),
      When("kind", {"guest"},
           Question(FormField::kEmployee, "host", "Кто встречает", "Who meets them")),
      When("kind", {"employee"},
           Required(Question(FormField::kEmployee, "for_employee", "Кому", "For whom"))),
      When("kind", {"vehicle"},
           Required(Help(
               "Например А123ВС777", "Such as A123BC777",
               Matching("[АВЕКМНОРСТУХABEKMHOPCTYX][0-9]{3}[АВЕКМНОРСТУХABEKMHOPCTYX]{2}[0-9]{2,3}",
                        Question(FormField::kText, "plate", "Госномер", "Number plate"))))),
      When("kind", {"goods"},
           Required(Within(
               3, 2000,
               Question(FormField::kText, "goods", "Что выносится", "What is carried out")))),
  };
  return made;
}

}  // namespace potok::intake
