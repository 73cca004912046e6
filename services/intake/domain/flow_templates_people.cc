// Templates of the departments that serve people with papers: HR and accounting.
#include "intake/domain/flow_templates.h"
#include "intake/domain/form_fields.h"

namespace potok::intake {

using desk::FormField;

FlowTemplate HrCertificatesTemplate() {
  FlowTemplate made;
  made.id = "hr-certificates";
  made.description_ru = "Справки и копии документов из отдела кадров";
  made.description_en = "Certificates and copies of documents from HR";
  desk::Flow& flow = made.flow;
  flow.name_ru = "Справки из отдела кадров";
  flow.name_en = "HR certificates";
  flow.description = "2-НДФЛ, справки с места работы и о доходах, копии трудовой книжки.";
  flow.prefix = "HR";
  flow.mode = desk::DistributionMode::kRoundRobin;
  flow.form.fields = {
      Required(Choice("kind", "Какая справка нужна", "Which certificate",
                      {{"2-ndfl", "2-НДФЛ", "2-NDFL (income tax)"},
                       {"employment", "С места работы", "Employment"},
                       {"salary", "О доходах в свободной форме", "Salary, free form"},
                       {"work-record", "Копия трудовой книжки", "Copy of the work record"},
                       {"other", "Другая", "Another one"}})),
      When("kind", {"other"},
           Required(Within(
               1, 500,
               Question(FormField::kText, "other_kind", "Какая именно", "Which one exactly")))),
      When("kind", {"2-ndfl", "salary"},
           Required(Help("Первый и последний день, обычно полный год",
                         "First and last day, usually a whole year",
                         Within(1, 1827,
                                Question(FormField::kDateRange, "period", "За какой период",
                                         "For which period"))))),
      Required(Choice("delivery", "Как получить", "How to get it",
                      {{"mail", "По почте", "By mail"},
                       {"printed", "Забрать напечатанную", "Pick up a printout"}})),
      When("delivery", {"mail"},
           Required(Help("Электронная почта или почтовый адрес с индексом",
                         "An e-mail or a postal address with its code",
                         Within(5, 500,
                                Question(FormField::kText, "address", "Куда прислать",
                                         "Where to send it"))))),
      When("delivery", {"printed"},
           Default("1", Within(1, 10,
                               Question(FormField::kNumber, "copies", "Сколько экземпляров",
                                        "How many copies")))),
      Help("Например: банк, виза, детский сад", "For example: bank, visa, kindergarten",
           Within(0, 500,
                  Question(FormField::kText, "purpose", "Куда предъявляется",
                           "Where it will be shown"))),
  };
  return made;
}

FlowTemplate LeaveTemplate() {
  FlowTemplate made;
  made.id = "leave";
  made.description_ru = "Отпуска: ежегодный, без содержания, учебный, по уходу";
  made.description_en = "Leave: annual, unpaid, study, care";
  desk::Flow& flow = made.flow;
  flow.name_ru = "Отпуска";
  flow.name_en = "Leave";
  flow.description = "Заявления на отпуск, перенос и отзыв из отпуска.";
  flow.prefix = "LEAVE";
  flow.mode = desk::DistributionMode::kRoundRobin;
  flow.form.fields = {
      Required(Choice("kind", "Вид отпуска", "Kind of leave",
                      {{"annual", "Ежегодный оплачиваемый", "Annual, paid"},
                       {"unpaid", "Без сохранения зарплаты", "Unpaid"},
                       {"study", "Учебный", "Study"},
                       {"care", "По уходу", "Care"},
                       {"move", "Перенос отпуска", "Move a planned leave"}})),
      Required(Help("Первый и последний день отпуска", "First and last day of the leave",
                    Within(1, 1100, Question(FormField::kDateRange, "period", "Когда", "When")))),
      When("kind", {"move"},
           Required(Question(FormField::kDateRange, "planned_period", "Период по графику",
                             "The period as planned"))),
      When("kind", {"unpaid", "move"},
           Required(Within(3, 1000, Question(FormField::kText, "reason", "Причина", "Reason")))),
      When("kind", {"study"},
           Required(Within(3, 300,
                           Question(FormField::kText, "summons", "Номер и дата справки-вызова",
                                    "Number and date of the summons")))),
      Question(FormField::kEmployee, "substitute", "Кто замещает", "Who stands in"),
  };
  return made;
}

FlowTemplate AccountingTemplate() {
  FlowTemplate made;
  made.id = "accounting";
  made.description_ru = "Бухгалтерия: оплата счетов, авансы, возмещение расходов, расчётные листки";
  made.description_en = "Accounting: invoices, advances, reimbursements, payslips";
  desk::Flow& flow = made.flow;
  flow.name_ru = "Бухгалтерия";
  flow.name_en = "Accounting";
  flow.description = "Всё, что касается денег: счета, командировки, возмещение, зарплата.";
  flow.prefix = "ACC";
  flow.mode = desk::DistributionMode::kLeastLoaded;
  flow.form.fields = {
      Required(Choice("kind", "О чём запрос", "What it is about",
                      {{"invoice", "Оплатить счёт", "Pay an invoice"},
                       {"advance", "Аванс на командировку", "Advance for a business trip"},
                       {"reimbursement", "Возместить расходы", "Reimburse expenses"},
                       {"payslip", "Расчётный листок, зарплата", "Payslip, salary"},
                       {"reconciliation", "Акт сверки", "Reconciliation statement"},
                       {"other", "Другое", "Something else"}})),
      When("kind", {"invoice", "advance", "reimbursement"},
           Required(
               Within(0.01, 1e9,
                      Question(FormField::kNumber, "amount", "Сумма, ₽", "Amount, RUB")))),
      When("kind", {"invoice", "reconciliation"},
           Required(Help(
               "10 цифр у организации, 12 у предпринимателя",
               "10 digits of a company, 12 of a sole trader",
               Matching("[0-9]{10}|[0-9]{12}", Question(FormField::kText, "inn", "ИНН контрагента",
                                                        "Tax number (INN)"))))),
      When("kind", {"invoice"},
           Required(Within(
               1, 100,
               Question(FormField::kText, "document_number", "Номер счёта", "Invoice number")))),
      When("kind", {"invoice"},
           Required(Question(FormField::kDate, "document_date", "Дата счёта", "Invoice date"))),
      When("kind", {"advance"},
           Required(Within(
               1, 366,
               Question(FormField::kDateRange, "trip", "Даты командировки", "Dates of the trip")))),
      When("kind", {"payslip", "reconciliation"},
           Required(Within(
               1, 1827,
               Question(FormField::kDateRange, "period", "За какой период", "For which period")))),
      When("kind", {"reimbursement"},
           Choice("expenses", "Какие расходы", "Which expenses",
                  {{"travel", "Проезд", "Travel"},
                   {"hotel", "Проживание", "Hotel"},
                   {"supplies", "Материалы", "Supplies"},
                   {"training", "Обучение", "Training"},
                   {"other", "Другое", "Other"}},
                  FormField::kMultiEnum)),
  };
  return made;
}

}  // namespace potok::intake
