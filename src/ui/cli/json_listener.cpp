// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/json_listener.h"

#include <nlohmann/json.hpp>

#include "ui/cli/answers.h"
#include "ui/cli/log_text.h"
#include "ui/cli/progress_text.h"

namespace tintype::cli {
namespace {

using Json = nlohmann::ordered_json;

Json error_object(const Error& error) {
  Json json;
  json["code"] = tintype::to_string(error.code);
  json["text"] = error.message();
  json["offset_bytes"] = error.offset_bytes ? Json(*error.offset_bytes) : Json(nullptr);
  json["os_error"] = error.os_error != 0 ? Json(error.os_error) : Json(nullptr);
  return json;
}

// Names from drives may hold any bytes; what is no UTF-8 becomes U+FFFD.
std::string one_line(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }
void add_facts(Json& json, const std::vector<Fact>& facts) {
  for (const Fact& fact : facts) std::visit([&](const auto& value) { json[fact.name] = value; }, fact.value);
}

class JsonListener final : public Listener {
 public:
  explicit JsonListener(Screen& screen) : screen_(screen) {}

  void stage(const std::string& name, std::uint64_t total_bytes) override {
    speed_.restart(std::chrono::steady_clock::now());
    put({{"event", "stage"}, {"stage", name}, {"total_bytes", total_bytes}});
  }

  void progress(const Progress& progress) override {
    speed_.update(progress.done_bytes, std::chrono::steady_clock::now());
    Json json{{"event", "progress"},
              {"stage", progress.stage},
              {"object", progress.object},
              {"done_bytes", progress.done_bytes},
              {"total_bytes", progress.total_bytes},
              {"percent", percent(progress)},
              {"bytes_per_second", static_cast<std::uint64_t>(speed_.bytes_per_second())}};
    if (!total_known(progress)) json["percent"] = nullptr;
    const std::optional<std::uint64_t> left = speed_.seconds_left(progress);
    json["seconds_left"] = left ? Json(*left) : Json(nullptr);
    put(json);
  }

  void message(const Message& message) override {
    put({{"event", "message"}, {"severity", cli::to_string(message.severity)}, {"text", message.text}});
  }

  void answered(const Question& question, Answer answer) override {
    put({{"event", "question"},
         {"id", question.id},
         {"kind", cli::to_string(question.kind)},
         {"text", question.text},
         {"lost", question.lost},
         {"answer", cli::to_string(answer)}});
  }

  void end(const RunEnd& end) override {
    Json json{{"event", "result"},
              {"action", end.action},
              {"status", static_cast<int>(end.status)},
              {"outcome", cli::to_string(end.status)},
              {"seconds", end.seconds}};
    json["error"] = end.error != nullptr ? error_object(*end.error) : Json(nullptr);
    if (end.report != nullptr) {
      add_facts(json, end.report->facts);
      for (const Rows& table : end.report->tables) {
        Json rows = Json::array();
        for (const std::vector<Fact>& row : table.rows) add_facts(rows.emplace_back(Json::object()), row);
        json[table.name] = std::move(rows);
      }
    }
    put(json);
    if (end.error != nullptr) screen_.error(end.error->message());
  }

 private:
  void put(const Json& json) { screen_.out(one_line(json)); }

  Screen& screen_;
  SpeedMeter speed_;
};

class JsonFailureListener final : public Listener {
 public:
  explicit JsonFailureListener(Screen& screen) : screen_(screen) {}
  void end(const RunEnd& end) override {
    if (end.error == nullptr) return;
    screen_.out(one_line({{"error", error_object(*end.error)}}));
    screen_.error(end.error->message());
  }

 private:
  Screen& screen_;
};

}  // namespace

std::unique_ptr<Listener> make_json_listener(Screen& screen) { return std::make_unique<JsonListener>(screen); }
std::unique_ptr<Listener> make_json_failure_listener(Screen& screen) { return std::make_unique<JsonFailureListener>(screen); }

}  // namespace tintype::cli
