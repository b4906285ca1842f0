// SPDX-License-Identifier: GPL-3.0-or-later
// The parts of the command line front end that are pure: who answers, what a status means, how progress is worded.
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <future>

#include "base/text.h"
#include "ui/cli/answers.h"
#include "ui/cli/exit_status.h"
#include "ui/cli/partition_bar.h"
#include "ui/cli/progress_text.h"
#include "ui/cli/screen.h"

namespace tintype::cli {
namespace {

constexpr std::array kKinds{QuestionKind::yes_no, QuestionKind::ok_cancel, QuestionKind::abort_retry_ignore};

Question question(QuestionKind kind) { return {kind, "id", "text", {}}; }

std::vector<std::optional<Answer>> answers(const Unattended& modes, bool terminal) {
  std::vector<std::optional<Answer>> all;
  for (const QuestionKind kind : kKinds) all.push_back(answer_alone(question(kind), modes, terminal));
  return all;
}

using Answers = std::vector<std::optional<Answer>>;

// The table of the manual, for yes/no, ok/cancel, abort/retry/ignore.
TEST(Unattended, AnswersAsTheManualSays) {
  const Answers no{Answer::no, Answer::cancel, Answer::abort};
  EXPECT_EQ(answers({}, true), (Answers{std::nullopt, std::nullopt, std::nullopt}));
  EXPECT_EQ(answers({.no = true}, true), no);
  EXPECT_EQ(answers({.yes = true}, true), (Answers{Answer::yes, Answer::ok, Answer::ignore}));
  EXPECT_EQ(answers({.ignore = true}, true), (Answers{std::nullopt, std::nullopt, Answer::ignore}));
  EXPECT_EQ(answers({.no = true, .ignore = true}, true), (Answers{Answer::no, Answer::cancel, Answer::ignore}));
}

TEST(Unattended, WithoutATerminalBehavesAsUn) {
  const Answers no{Answer::no, Answer::cancel, Answer::abort};
  EXPECT_EQ(answers({}, false), no);
  EXPECT_EQ(answers({.yes = true}, false), (Answers{Answer::yes, Answer::ok, Answer::ignore}));
  EXPECT_EQ(answers({.ignore = true}, false), (Answers{Answer::no, Answer::cancel, Answer::ignore}));
}

TEST(Unattended, AMediumIsAskedForUnlessToldOtherwise) {
  const Question medium = question(QuestionKind::medium);
  EXPECT_EQ(answer_alone(medium, {.yes = true}, true), std::nullopt);
  EXPECT_EQ(answer_alone(medium, {.no = true}, true), std::nullopt);
  EXPECT_EQ(answer_alone(medium, {.yes = true, .media = true}, true), Answer::cancel);
  EXPECT_EQ(answer_alone(medium, {.yes = true}, false), Answer::cancel);
}

TEST(Answers, AreReadAsTyped) {
  EXPECT_EQ(answer_typed(QuestionKind::yes_no, " Y \n"), Answer::yes);
  EXPECT_EQ(answer_typed(QuestionKind::yes_no, "yes"), Answer::yes);
  EXPECT_EQ(answer_typed(QuestionKind::yes_no, ""), Answer::no);
  EXPECT_EQ(answer_typed(QuestionKind::yes_no, "yesterday"), std::nullopt);
  EXPECT_EQ(answer_typed(QuestionKind::abort_retry_ignore, "r"), Answer::retry);
  EXPECT_EQ(answer_typed(QuestionKind::abort_retry_ignore, ""), Answer::abort);
  EXPECT_EQ(answer_typed(QuestionKind::ok_cancel, "ok"), Answer::ok);
}

TEST(ExitStatus, FollowsFromTheError) {
  const auto status = [](ErrorCode code) { return status_of(make_error(code, "x")); };
  EXPECT_EQ(status(ErrorCode::usage), ExitStatus::usage);
  for (const ErrorCode code : {ErrorCode::cancelled, ErrorCode::refused, ErrorCode::busy, ErrorCode::exists, ErrorCode::denied})
    EXPECT_EQ(status(code), ExitStatus::refused) << tintype::to_string(code);
  for (const ErrorCode code : {ErrorCode::corrupt, ErrorCode::mismatch})
    EXPECT_EQ(status(code), ExitStatus::damaged) << tintype::to_string(code);
  for (const ErrorCode code : {ErrorCode::io, ErrorCode::no_space, ErrorCode::not_found, ErrorCode::unsupported, ErrorCode::out_of_bounds})
    EXPECT_EQ(status(code), ExitStatus::failed) << tintype::to_string(code);
  EXPECT_EQ(status_of(os_error(EACCES, "x")), ExitStatus::failed);
}

TEST(Progress, SpeedIsSmoothAndTimeLeftFollowsFromBytes) {
  using namespace std::chrono_literals;
  SpeedMeter speed;
  const SpeedMeter::Time start{};
  speed.restart(start);
  Progress progress{"backup", "partition 0x1 (ntfs)", 0, 1000 << 20};
  EXPECT_FALSE(speed.seconds_left(progress));
  for (int i = 1; i <= 50; ++i) {
    progress.done_bytes = static_cast<std::uint64_t>(i) * (10 << 20);
    speed.update(progress.done_bytes, start + i * 100ms);
  }
  EXPECT_NEAR(speed.bytes_per_second(), 100 << 20, 1 << 20);
  EXPECT_EQ(speed.seconds_left(progress), 5U);
  EXPECT_EQ(percent(progress), 50U);
  const std::string line = progress_line(progress, speed, 200, false);
  EXPECT_NE(line.find(" 50 %"), std::string::npos) << line;
  EXPECT_NE(line.find("0:05 left"), std::string::npos) << line;
  EXPECT_NE(line.find("partition 0x1"), std::string::npos) << line;
}

TEST(Progress, LineIsCutToTheTerminalByCharacters) {
  Progress progress{"backup", "Übergrößenträger", 1, 2};
  for (const std::size_t width : {10U, 40U, 79U}) {
    const std::string line = progress_line(progress, {}, width, true);
    EXPECT_LE(columns_of(line), width);
    EXPECT_EQ(utf8_checked(as_bytes(line)).find("\xEF\xBF\xBD"), std::string::npos) << line;
  }
}

TEST(Progress, NamesCannotControlTheTerminal) {
  const Progress progress{"backup", "\x1b[2Jlabel", 1, 2};
  EXPECT_EQ(progress_line(progress, {}, 200, false).find('\x1b'), std::string::npos);
}

TEST(Progress, Durations) {
  EXPECT_EQ(format_duration(7), "0:07");
  EXPECT_EQ(format_duration(754), "12:34");
  EXPECT_EQ(format_duration(11220), "3:07:00");
}

DriveListing drive_of(std::vector<std::pair<std::uint64_t, std::uint64_t>> extents, std::uint64_t sectors) {
  DriveListing drive;
  drive.info.size_bytes = sectors * 512;
  drive.layout.kind = TableKind::mbr;
  std::uint32_t id = 0;
  for (const auto& [start, count] : extents) {
    PartitionListing partition;
    partition.entry.id = ++id;
    partition.entry.start_sector = start;
    partition.entry.sector_count = count;
    partition.id = "0x" + std::to_string(id);
    drive.partitions.push_back(partition);
  }
  return drive;
}

TEST(Bar, IsToScaleAndAsWideAsAsked) {
  const std::string bar = partition_bar(drive_of({{500, 52000}, {60000, 40000}}, 100000), 60, false);
  EXPECT_EQ(bar.size(), 60U) << bar;
  EXPECT_EQ(bar.find("|0x1"), 0U) << bar;
  const std::size_t second = bar.find("|0x2");
  EXPECT_GT(second, 30U) << bar;
  EXPECT_LT(second, 40U) << bar;
}

TEST(Bar, SurvivesHostileTables) {
  EXPECT_EQ(partition_bar(drive_of({}, 1000), 60, true), "");
  EXPECT_EQ(partition_bar(drive_of({{0, 10}}, 0), 60, true), "");
  EXPECT_EQ(partition_bar(drive_of({{2000, 10}}, 1000), 60, true), "");
  EXPECT_FALSE(partition_bar(drive_of({{1, ~std::uint64_t{0}}, {1, 5}, {2, 3}}, 1000), 10, true).empty());
}

// "It goes on until you answer": whoever has something to say during a question is not held up.
TEST(Screen, KeepsWhatIsSaidDuringAQuestion) {
  testing::internal::CaptureStdout();
  bool came_back = false;
  {
    Screen screen(TerminalFacts{});
    std::future<bool> said;
    screen.with_terminal([&](Tty&) {
      said = std::async(std::launch::async, [&] { return screen.out("made it") && screen.out("and more"); });
      came_back = said.wait_for(std::chrono::seconds(5)) == std::future_status::ready;
    });
    EXPECT_TRUE(said.get());
    screen.out("later");
  }
  EXPECT_TRUE(came_back);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "made it\nand more\nlater\n");
}

}  // namespace
}  // namespace tintype::cli
