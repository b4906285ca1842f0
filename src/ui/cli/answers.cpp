// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/answers.h"

#include <algorithm>

namespace tintype::cli {
namespace {

Answer willing_answer(QuestionKind kind) {
  switch (kind) {
    case QuestionKind::yes_no: return Answer::yes;
    case QuestionKind::abort_retry_ignore: return Answer::ignore;
    case QuestionKind::ok_cancel:
    case QuestionKind::medium: return Answer::ok;
  }
  return Answer::ok;
}

std::string lower_trimmed(std::string_view line) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!line.empty() && blank(line.front())) line.remove_prefix(1);
  while (!line.empty() && blank(line.back())) line.remove_suffix(1);
  std::string word(line);
  std::ranges::transform(word, word.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return word;
}

// True if `word` is the beginning of `full`: "y" and "yes".
bool means(const std::string& word, std::string_view full) { return !word.empty() && full.starts_with(word); }

}  // namespace

std::optional<Answer> answer_alone(const Question& question, const Unattended& modes, bool terminal) {
  if (question.kind == QuestionKind::medium) {
    if (modes.media || !terminal) return Answer::cancel;
    return std::nullopt;  // suspends un and uy: only a person can change a medium
  }
  if (question.kind == QuestionKind::abort_retry_ignore && modes.ignore) return Answer::ignore;
  if (modes.yes) return willing_answer(question.kind);
  if (modes.no || !terminal) return safe_answer(question.kind);
  return std::nullopt;
}

std::optional<Answer> answer_typed(QuestionKind kind, std::string_view line) {
  const std::string word = lower_trimmed(line);
  if (word.empty()) return safe_answer(kind);
  switch (kind) {
    case QuestionKind::yes_no:
      if (means(word, "yes")) return Answer::yes;
      if (means(word, "no")) return Answer::no;
      break;
    case QuestionKind::ok_cancel:
    case QuestionKind::medium:
      if (means(word, "ok")) return Answer::ok;
      if (means(word, "cancel")) return Answer::cancel;
      break;
    case QuestionKind::abort_retry_ignore:
      if (means(word, "abort")) return Answer::abort;
      if (means(word, "retry")) return Answer::retry;
      if (means(word, "ignore")) return Answer::ignore;
      break;
  }
  return std::nullopt;
}

std::string choices(QuestionKind kind) {
  switch (kind) {
    case QuestionKind::yes_no: return "[y/N]";
    case QuestionKind::ok_cancel:
    case QuestionKind::medium: return "[ok/Cancel]";
    case QuestionKind::abort_retry_ignore: return "[Abort/retry/ignore]";
  }
  return "";
}

Answer safe_answer(QuestionKind kind) {
  switch (kind) {
    case QuestionKind::yes_no: return Answer::no;
    case QuestionKind::abort_retry_ignore: return Answer::abort;
    case QuestionKind::ok_cancel:
    case QuestionKind::medium: return Answer::cancel;
  }
  return Answer::cancel;
}

const char* to_string(Answer answer) {
  switch (answer) {
    case Answer::yes: return "yes";
    case Answer::no: return "no";
    case Answer::ok: return "ok";
    case Answer::cancel: return "cancel";
    case Answer::abort: return "abort";
    case Answer::retry: return "retry";
    case Answer::ignore: return "ignore";
  }
  return "no";
}

const char* to_string(QuestionKind kind) {
  switch (kind) {
    case QuestionKind::yes_no: return "yes_no";
    case QuestionKind::ok_cancel: return "ok_cancel";
    case QuestionKind::abort_retry_ignore: return "abort_retry_ignore";
    case QuestionKind::medium: return "medium";
  }
  return "yes_no";
}

}  // namespace tintype::cli
