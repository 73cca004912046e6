// What people of the company ask for while the told requests go their way, and what becomes of
// each.
#pragma once

#include <string>
#include <vector>

namespace potok::ctl {

// How a request goes, apart from being filed, worked on and answered.
enum class Turn {
  kPlain,      // Accepted by the requester.
  kAsks,       // The agent asks something first; the answer comes an hour or two later.
  kReturned,   // The requester sends the first result back.
  kLate,       // Takes a day longer than it should.
  kSilent,     // The requester says nothing: it closes by itself.
  kCancelled,  // The requester withdraws it.
};

struct StoryRequest {
  int day;         // 0 is the first day of the story.
  const char* at;  // "09:12", Moscow time.
  const char* requester;
  const char* flow;
  const char* title;
  const char* fields;  // Answers of the flow's form, as JSON.
  Turn turn = Turn::kPlain;
  int rating = 0;            // 0: none.
  const char* comment = "";  // With the rating.
  const char* description = "";
  bool hurts_many = false;  // Urgency and impact high: priority 1.
};

const std::vector<StoryRequest>& StoryRequests();

// Three requests of one morning that fill an accountant up; the urgent one of the story comes after
// them.
const std::vector<StoryRequest>& FillingRequests();

// What an agent writes as the result, as the question, and what the requester answers.
std::string ResultFor(const StoryRequest& request);
std::string QuestionFor(const StoryRequest& request);
std::string AnswerFor(const StoryRequest& request);

}  // namespace potok::ctl
