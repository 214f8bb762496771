#include "spanker/run/generate.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "spanker/model/load.hpp"
#include "spanker/model/synth.hpp"
#include "spanker/plan/memory.hpp"
#include "spanker/run/model_files_for_test.hpp"
#include "spanker/run/plans_for_test.hpp"

namespace spanker {
namespace {

using namespace testing;

constexpr Bytes kPlenty(std::uint64_t{1} << 40);

class Generate : public ::testing::Test {
 protected:
  Generate() {
    const ModelShape shape{Architecture::kLlama, 2, 64, 96, 4, 2, 16, 320, 128, 1e-5, 10000, false};
    const Model model = must_be(make_model("small", shape, TensorType::kF32));
    must_be(write_synthetic_gguf(model, 1, folder_.path("m.gguf"), [](Bytes, Bytes) { return true; }));
    file_.emplace(must_be(ModelFile::open(folder_.path("m.gguf"))));
  }

  Problem problem(std::uint64_t prompt, std::uint64_t generate) const {
    return plain_problem(*file_, 2, plain_workload(prompt, generate));
  }

  Result<Generation> run(
      const Problem& problem, std::span<const std::uint32_t> prompt, const GenerateOptions& options = {},
      const Tokenizer* tokenizer = nullptr,
      const TokenCallback& on_token = [](std::uint32_t, std::uint64_t) { return true; }) const {
    const Plan plan = plan_of(problem, {even(2)});
    const auto cards = must_be(load_cards(*file_, problem, plan, 2, kPlenty));
    return generate(*file_, problem, plan, cards, prompt, options, tokenizer, on_token);
  }

  const Folder folder_;
  std::optional<ModelFile> file_;
};

const std::vector<std::uint32_t> kPrompt = {1, 70, 71, 72};

TEST_F(Generate, TellsTokensAsTheyCome) {
  std::vector<std::uint32_t> told;
  const Problem asked = problem(4, 12);
  const auto generation = run(asked, kPrompt, {}, nullptr, [&](std::uint32_t token, std::uint64_t) {
    told.push_back(token);
    return true;
  });
  ASSERT_TRUE(generation.has_value()) << to_line(generation.error());
  EXPECT_EQ(generation->tokens.size(), 12u);
  EXPECT_EQ(generation->tokens, told);
  EXPECT_EQ(generation->tokens, greedy_tokens(*file_, asked, single_plan(asked), kPrompt, 12));
  EXPECT_EQ(generation->ending, Ending::kLength);
  const RunTimes& times = generation->times;
  EXPECT_EQ(times.decoded, 11u);
  EXPECT_GT(times.prefill, Seconds(0));
  EXPECT_GE(times.time_to_first_token, times.prefill);
  EXPECT_GT(times.decode, Seconds(0));
}

TEST_F(Generate, OneTokenNeedsNoDecode) {
  const auto generation = run(problem(4, 1), kPrompt);
  ASSERT_TRUE(generation.has_value());
  EXPECT_EQ(generation->tokens.size(), 1u);
  EXPECT_EQ(generation->times.decoded, 0u);
  EXPECT_EQ(generation->times.decode, Seconds(0));
}

TEST_F(Generate, EndsWhereTheCallerDoes) {
  int left = 3;
  const auto generation =
      run(problem(4, 12), kPrompt, {}, nullptr, [&](std::uint32_t, std::uint64_t) { return --left > 0; });
  ASSERT_TRUE(generation.has_value());
  EXPECT_EQ(generation->tokens.size(), 3u);
  EXPECT_EQ(generation->ending, Ending::kInterrupted);
}

TEST_F(Generate, EndsWhereTheModelDoes) {
  const Tokenizer tokenizer = must_be(Tokenizer::from_gguf(file_->files));
  // At a high temperature any of the 320 tokens comes soon, </s> too.
  GenerateOptions options;
  options.sampling.temperature = 100;
  bool has_ended = false;
  for (std::uint64_t seed = 1; seed <= 60 && !has_ended; ++seed) {
    options.sampling.seed = seed;
    options.ignores_end = false;
    const auto ended = must_be(run(problem(4, 60), kPrompt, options, &tokenizer));
    has_ended = ended.ending == Ending::kEndToken;
    if (!has_ended) continue;
    EXPECT_LT(ended.tokens.size(), 60u);
    options.ignores_end = true;
    const auto all = must_be(run(problem(4, 60), kPrompt, options, &tokenizer));
    EXPECT_EQ(all.ending, Ending::kLength);
    ASSERT_EQ(all.tokens.size(), 60u);
    EXPECT_EQ(std::vector(all.tokens.begin(),
                          all.tokens.begin() + static_cast<std::ptrdiff_t>(ended.tokens.size())),
              ended.tokens);
    EXPECT_TRUE(tokenizer.is_end_of_generation(all.tokens[ended.tokens.size()]));
  }
  EXPECT_TRUE(has_ended);
}

TEST_F(Generate, TheSameSeedChoosesTheSame) {
  GenerateOptions options;
  options.sampling.temperature = 1;
  options.sampling.seed = 9;
  const auto first = must_be(run(problem(4, 20), kPrompt, options));
  EXPECT_EQ(must_be(run(problem(4, 20), kPrompt, options)).tokens, first.tokens);
  options.sampling.seed = 10;
  EXPECT_NE(must_be(run(problem(4, 20), kPrompt, options)).tokens, first.tokens);
}

void expect_line(const Result<Generation>& result, const std::string& line) {
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(to_line(result.error()), line);
}

TEST_F(Generate, PromptsThatCannotBe) {
  expect_line(run(problem(4, 4), std::vector<std::uint32_t>{1, 2, 320, 3}),
              "prompt: token 2: no such token, wanted 0 to 319, got 320");
  expect_line(run(problem(4, 4), std::vector<std::uint32_t>{}),
              "prompt: no tokens, wanted one or more, got none");
  expect_line(run(problem(4, 4), std::vector<std::uint32_t>{1}),
              "prompt: another length than was planned for, wanted 4 tokens, got 1");
}

TEST_F(Generate, SamplingThatCannotBe) {
  GenerateOptions options;
  options.sampling.temperature = -1;
  const auto result = run(problem(4, 4), kPrompt, options);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kBadInput);
}

TEST_F(Generate, TooLittleMemory) {
  const Problem asked = problem(4, 4);
  const Plan plan = plan_of(asked, {even(2)});
  Bytes need;
  for (const CardMemory& card : plan_memory(asked, plan)) need += card.total();
  EXPECT_TRUE(load_cards(*file_, asked, plan, 1, need).has_value());
  const auto cards = load_cards(*file_, asked, plan, 1, Bytes(need.value - 1));
  ASSERT_FALSE(cards.has_value());
  EXPECT_EQ(cards.error().kind, ErrorKind::kInfeasible);
  EXPECT_EQ(to_line(cards.error()), "memory: too little for weights, cache and activations, wanted " +
                                        std::to_string(need.value) + " bytes, got " +
                                        std::to_string(need.value - 1) + " bytes");
}

TEST_F(Generate, MoreCardsThanOneProcessRuns) {
  const Problem asked = plain_problem(*file_, 65, plain_workload(4, 4));
  const auto cards = load_cards(*file_, asked, plan_of(asked, {even(65)}), 1, kPlenty);
  ASSERT_FALSE(cards.has_value());
  EXPECT_EQ(cards.error().kind, ErrorKind::kInfeasible);
  EXPECT_EQ(to_line(cards.error()), "plan: too many cards for one process, wanted at most 64, got 65");
}

TEST_F(Generate, LogitsThatAreNotNumbers) {
  // A norm of infinities: the first logits are no numbers.
  const Model model = file_->model;
  std::string bytes = random_gguf(model, 1);
  const GgufFile parsed = must_be(GgufFile::parse(std::as_bytes(std::span(bytes)), "m"));
  const GgufTensor* norm = parsed.find_tensor("output_norm.weight");
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(norm->offset), norm->bytes.value,
              static_cast<char>(0xFF));
  file_.emplace(must_be(ModelFile::open(folder_.write("broken.gguf", bytes))));
  const auto result = run(problem(4, 4), kPrompt);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kBadInput);
}

}  // namespace
}  // namespace spanker
