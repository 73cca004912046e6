#include "notifier/bind.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "ledger/foundation/consumer_meters.h"
#include "ledger/foundation/foundation.h"
#include "notifier/domain/mail.h"
#include "notifier/domain/texts.h"
#include "notifier/rpc/notifier_rpc.h"
#include "notifier/store/delivery_lists.h"
#include "notifier/store/delivery_queue.h"
#include "notifier/store/inbox_store.h"
#include "notifier/store/text_folder.h"
#include "notifier/work/delivery_loop.h"
#include "notifier/work/delivery_meters.h"
#include "notifier/work/inbox_hub.h"
#include "notifier/work/planner.h"
#include "notifier/work/smtp_sender.h"
#include "platform/config/load.h"
#include "platform/log/consumer.h"

namespace potok::notifier {
namespace {

// Two, so that one slow recipient does not hold up everybody; a mail server rarely likes many more.
constexpr int kMailWorkers = 2;
// For a message that is under way when the process must end.
constexpr absl::Duration kLastMail = absl::Seconds(3);
constexpr absl::Duration kGaugesEvery = absl::Seconds(5);

struct MailSetup {
  SmtpOptions smtp;  // Without url: no mail is sent, deliveries wait.
  Mailbox from;
  std::string domain = "potok.invalid";
};

absl::StatusOr<MailSetup> MailSetupOf(const config::v1::SmtpConfig& config) {
  MailSetup setup;
  if (config.url().empty()) return setup;
  POTOK_ASSIGN_OR_RETURN(setup.from, ParseMailbox(config.from()));
  setup.domain = setup.from.address.substr(setup.from.address.find('@') + 1);
  setup.smtp.url = config.url();
  setup.smtp.user = config.user();
  POTOK_ASSIGN_OR_RETURN(setup.smtp.password, config::ReadSecret(config.password()));
  setup.smtp.allow_plaintext = config.allow_plaintext();
  if (config.timeout_ms() > 0) setup.smtp.timeout = absl::Milliseconds(config.timeout_ms());
  return setup;
}

PlannerOptions PlannerOptionsOf(const config::v1::TemplateConfig& config, const MailSetup& mail) {
  PlannerOptions options;
  options.mail_domain = mail.domain;
  if (!config.default_locale().empty()) options.default_locale = config.default_locale();
  options.portal_url = config.portal_url();
  options.mail_leaves = !mail.smtp.url.empty();
  return options;
}

// Members are destroyed in reverse: calls' targets first, then who plans, then who is woken by it.
class Notifier final : public app::Bound {
 public:
  Notifier(app::Parts& parts, std::shared_ptr<ledger::Foundation> foundation, Texts texts,
           const MailSetup& mail)
      : foundation_(std::move(foundation)),
        texts_(std::move(texts)),
        meters_(parts.metrics),
        queue_(foundation_->loops()),
        mail_breaker_(Channel::kEmail, meters_),
        hub_store_(foundation_->loops()),
        hub_(hub_store_),
        planner_(PlannerOptionsOf(parts.config.templates(), mail), texts_, foundation_->reference(),
                 foundation_->clock(), meters_),
        consumer_(ConsumerOptionsOf(), foundation_->loops(),
                  [this](pg::Tx& tx, const std::vector<log::LogEntry>& entries) {
                    return planner_.Plan(tx, entries);
                  }),
        consumer_meters_(parts.metrics, "notifier", [this] { return consumer_.Stats(); }),
        inbox_(foundation_->calls()),
        deliveries_(foundation_->calls()),
        rpc_({parts.front, foundation_->calls(), foundation_->reference(), inbox_, deliveries_,
              hub_, parts.page_tokens}) {
    parts.server.Add<v1::NotifierService>(&rpc_);
    if (!mail.smtp.url.empty()) AddMailWorkers(parts, mail);
    parts.AddLoop("notify-gauges",
                  [this](std::stop_token) -> absl::StatusOr<absl::Duration> { return Measure(); });
    auto& followed = parts.metrics.Gauge("potok_inboxes_followed", "Open WatchInbox streams.");
    scrape_ = parts.metrics.BeforeScrape([this, &followed] { followed.Set(hub_.following()); });
    parts.OnDrain([this] { consumer_.Stop(); });
    parts.OnDrain([this] {
      for (const auto& loop : loops_) loop->Hurry(kLastMail);
    });
    consumer_.Start();
  }

 private:
  log::ConsumerOptions ConsumerOptionsOf() {
    log::ConsumerOptions options = foundation_->ConsumerFor("notifier", {1, 2, 3});
    // What one batch costs by itself decides whether planning keeps up when both cores are busy;
    // and a ticket with several events in it is read and marked once. A mail takes longer than the
    // pace.
    options.batch = 200;
    options.pace = absl::Milliseconds(100);
    options.after_commit = [this](const std::vector<log::LogEntry>&) {
      planner_.Committed();
      hub_.Wake();
      for (app::Loop* worker : mail_workers_) worker->Wake();
    };
    return options;
  }

  void AddMailWorkers(app::Parts& parts, const MailSetup& mail) {
    DeliveryLoopOptions options;
    options.channel = Channel::kEmail;
    options.from = mail.from;
    options.mail_domain = mail.domain;
    options.portal_url = parts.config.templates().portal_url();
    for (int i = 0; i < kMailWorkers; ++i) {
      loops_.push_back(std::make_unique<DeliveryLoop>(options, queue_, texts_, foundation_->clock(),
                                                      std::make_unique<SmtpSender>(mail.smtp),
                                                      mail_breaker_, meters_));
      mail_workers_.push_back(&parts.AddLoop(
          absl::StrCat("mail-", i),
          [loop = loops_.back().get()](std::stop_token stop) { return loop->Turn(stop); }));
    }
  }

  absl::StatusOr<absl::Duration> Measure() {
    POTOK_ASSIGN_OR_RETURN(const std::vector<Undelivered> waiting, queue_.Waiting());
    for (const Channel channel : kAllChannels) {
      Undelivered now{channel, 0, absl::ZeroDuration()};
      for (const Undelivered& each : waiting) {
        if (each.channel == channel) now = each;
      }
      meters_.Waiting(channel, now.waiting, now.oldest);
    }
    return kGaugesEvery;
  }

  const std::shared_ptr<ledger::Foundation> foundation_;
  const Texts texts_;
  DeliveryMeters meters_;
  const DeliveryQueue queue_;
  SharedBreaker mail_breaker_;
  std::vector<std::unique_ptr<DeliveryLoop>> loops_;
  std::vector<app::Loop*> mail_workers_;  // Of the process; alive as long as this.
  const InboxStore hub_store_;            // Apart from inbox_: the hub looks whatever calls do.
  InboxHub hub_;
  Planner planner_;
  log::Consumer consumer_;
  const ledger::ConsumerMeters consumer_meters_;
  const InboxStore inbox_;
  const DeliveryLists deliveries_;
  NotifierRpc rpc_;
  obs::Metrics::Hook scrape_;
};

absl::StatusOr<std::unique_ptr<app::Bound>> Bind(app::Parts& parts) {
  POTOK_ASSIGN_OR_RETURN(const auto replaced, ReadTextFolder(parts.config.templates().folder()));
  POTOK_ASSIGN_OR_RETURN(Texts texts, Texts::Create(replaced));
  POTOK_ASSIGN_OR_RETURN(const MailSetup mail, MailSetupOf(parts.config.smtp()));
  POTOK_ASSIGN_OR_RETURN(std::shared_ptr<ledger::Foundation> foundation,
                         ledger::Foundation::Open(parts));
  if (!mail.smtp.url.empty()) {
    POTOK_RETURN_IF_ERROR(DeliveryQueue(foundation->loops()).OpenChannel(Channel::kEmail));
  }
  return std::make_unique<Notifier>(parts, std::move(foundation), std::move(texts), mail);
}

}  // namespace

app::ServiceSpec Spec() { return ledger::SpecOf("notifier", Bind); }

}  // namespace potok::notifier
