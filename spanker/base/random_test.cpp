#include "spanker/base/random.hpp"

#include <gtest/gtest.h>

namespace spanker {
namespace {

TEST(SplitMix64, HasThePublishedSequence) {
  // What splitmix64.c (prng.di.unimi.it) prints for this seed, as many other implementations quote it.
  SplitMix64 random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317u);
  EXPECT_EQ(random.next(), 3203168211198807973u);
  EXPECT_EQ(random.next(), 9817491932198370423u);
  EXPECT_EQ(random.next(), 4593380528125082431u);
  EXPECT_EQ(random.next(), 16408922859458223821u);
}

}  // namespace
}  // namespace spanker
