#include "ledger/invariants.h"

#include "ledger/invariants/sql.h"

namespace potok::ledger {
namespace {

constexpr bool kAlways = false;
constexpr bool kQuiet = true;

constexpr Invariant kInvariants[] = {
    {"I1", "a ticket has at most one holder", "у заявки не больше одного исполнителя", kAlways,
     &invariants::kI01OneHolder, ""},
    {"I2", "no cap was exceeded when a slot was taken", "предел не превышен в момент назначения",
     kAlways, &invariants::kI02CapAtDecision, ""},
    {"I3", "no cap was exceeded at any moment, by replay of all slots",
     "предел не превышен ни в какой момент, по повтору всех назначений", kAlways,
     &invariants::kI03CapByReplay, ""},
    {"I4", "load counters equal a recount", "счётчики загрузки равны пересчёту", kAlways,
     &invariants::kI04LoadEqualsRecount, ""},
    {"I5", "state agrees with the assignment", "состояние согласно с назначением", kAlways,
     &invariants::kI05StateAgreesWithAssignment, ""},
    {"I6", "a queued ticket has a true reason", "у заявки в очереди верная причина", kQuiet,
     &invariants::kI06QueuedHasReason, ""},
    {"I7", "a ticket is born exactly once, and nothing happens to what is none",
     "заявка рождается ровно один раз, событий без заявки нет", kAlways, &invariants::kI07OneBirth,
     ""},
    {"I8", "versions have no gap and end at the row", "версии без пропусков до текущей", kAlways,
     &invariants::kI08VersionsGapless, ""},
    {"I9", "only moves of the state machine", "только разрешённые переходы", kAlways,
     &invariants::kI09LegalMoves, ""},
    {"I10", "every event is in outbox or log exactly once",
     "каждое событие ровно один раз в outbox или журнале", kAlways, &invariants::kI10Conservation,
     ""},
    {"I11", "log positions are dense, versions ascend", "позиции журнала без дыр, версии растут",
     kAlways, &invariants::kI11PositionsDense, ""},
    {"I12", "no consumer is ahead of the log", "ни один потребитель не обогнал журнал", kAlways,
     &invariants::kI12OffsetsWithinLog, ""},
    {"I12q", "every consumer has caught up", "все потребители дошли до конца журнала", kQuiet,
     &invariants::kI12qCaughtUp, ""},
    {"I13", "a running clock has its timer", "у идущих часов есть таймер", kAlways,
     &invariants::kI13RunningClockHasTimer, ""},
    {"I14", "nothing is armed on a paused or finished ticket",
     "на паузе и после завершения таймеров нет", kAlways, &invariants::kI14NoTimerOnPaused, ""},
    {"I15", "no timer is overdue", "нет просроченных таймеров", kQuiet,
     &invariants::kI15NothingOverdue, ""},
    {"I16", "no timer fired early", "ни один таймер не сработал раньше", kAlways,
     &invariants::kI16NeverEarly, ""},
    {"I17", "fires and events agree one to one", "срабатывания и события один к одному", kAlways,
     &invariants::kI17FiresEqualEvents, ""},
    {"I18", "every breach reached its manager", "о каждом нарушении срока руководитель узнал",
     kQuiet, &invariants::kI18BreachWasTold, ""},
    {"I19", "no notice is stuck, no dead letter or timer parked",
     "уведомления не застряли, отложенных записей и таймеров нет", kQuiet,
     &invariants::kI19NothingStuck, ""},
    {"I20", "one ticket a request id, one number a ticket",
     "одна заявка на request_id, один номер на заявку", kAlways,
     &invariants::kI20OneTicketPerRequest, ""},
    {"I20b", "numbers of a flow have no gap", "номера потока без пропусков", kAlways,
     &invariants::kI20bNumbersGapless, ""},
    {"I20c", "every acknowledged filing exists, and no other",
     "каждая подтверждённая заявка есть, и только они", kQuiet, nullptr,
     "needs what the callers were told: the load generator and the chaos suite keep that"},
    {"I21", "a change has one winner, and each answer an event of its own",
     "у изменения один победитель, у каждого ответа своё событие", kAlways,
     &invariants::kI21OneWinner, ""},
    {"I22", "analytics counters equal a recomputation", "счётчики аналитики равны пересчёту",
     kAlways, &invariants::kI22RollupEqualsRecount, ""},
    {"I22b", "totals of the board equal the sum of their days", "итоги доски равны сумме дней",
     kAlways, &invariants::kI22bTotalsEqualDays, ""},
    {"I22q", "analytics facts are current", "факты аналитики свежие", kQuiet,
     &invariants::kI22qFactsCurrent, ""},
    {"I23", "owners of a lease follow one another", "владельцы аренды сменяются по порядку",
     kAlways, &invariants::kI23LeasesNeverOverlap, ""},
    {"I24", "one rating a closure", "одна оценка на закрытие", kAlways,
     &invariants::kI24OneRatingPerClosure, ""},
    {"I24b", "one notice an overload", "одно уведомление о перегрузке", kAlways, nullptr,
     "overload is shown on the board; no notice of it is stored yet"},
    {"I25", "support lines change by one step", "линии меняются по одной", kAlways,
     &invariants::kI25LinesStepByOne, ""},
    {"I26", "turns are fair to one ticket", "по очереди: разница не больше одной", kQuiet,
     &invariants::kI26TurnsAreFair, ""},
    {"I28", "nothing is kept past its retention or dropped before it",
     "ничего не хранится дольше срока и не удалено раньше", kQuiet,
     &invariants::kI28RetentionIsKept, ""},
    {"I29", "a running clock has a due instant", "у идущих часов есть срок", kAlways,
     &invariants::kI29DueIsSetWhileRunning, ""},
};

}  // namespace

absl::Span<const Invariant> Invariants() { return kInvariants; }

}  // namespace potok::ledger
