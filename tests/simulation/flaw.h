// Faults that the mutation tests plant, each of which the simulation must find.
#pragma once

namespace potok::simulation {

enum class Flaw {
  kNone,
  // Of the statements.
  kSequenceIgnoresToken,
  kSequenceIgnoresVanishedRows,
  kTakeIgnoresToken,
  kTakeIgnoresPosition,
  kRaiseIgnoresToken,
  kGainIgnoresExpiry,
  kGainForgetsStamp,
  kRenewIgnoresToken,
  // Of the leases.
  kNoFence,
  kHandsOverAtOnce,
  kDeadOwnerSeenLate,
  kEndedOwnerSeenLate,
  kLostGainForgotten,
  kRenewsUnheard,
  // Of the relay.
  kNeverRaises,
  kFillSkipsOne,
  kTrimsOneTooMany,
  kNeverFills,
  kOldKeyIsKept,
  kStopsWithoutRedis,
  // Of the consumers.
  kNeverSweeps,
};

}  // namespace potok::simulation
