#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "spanker/cluster/profile_for_test.hpp"

namespace spanker {
namespace {

using testing::read;
using testing::refuse;
using testing::replaced;
using testing::sound;
using testing::with;

constexpr std::string_view kPriced =
    "price = { value = \"89 EUR\", low = \"79.95 EUR\", source = \"a shop\" }\npower = \"12 W\"\n[link]";

TEST(PriceAndPower, AreOptional) {
  const Cluster cluster = read(sound());
  EXPECT_FALSE(cluster.card.price);
  EXPECT_FALSE(cluster.card.power);
  EXPECT_EQ(cluster.star_switch, SwitchSpec{});
  EXPECT_EQ(cluster.currency, "");
}

TEST(PriceAndPower, AreReadOfACardAndItsOverrides) {
  const Cluster cluster = read(with("[link]", kPriced) + R"([[card_override]]
card = 1
price = "99 EUR"
[[card_override]]
card = 2
power = { value = "800 mW", high = "0.9 W" }
)");
  EXPECT_EQ(cluster.currency, "EUR");
  EXPECT_EQ(cluster.card.price, (Ranged<Money>{Money(89), Money(79.95), Money(89), "a shop"}));
  EXPECT_EQ(cluster.card.power, (Ranged<Watts>{Watts(12), Watts(12), Watts(12), ""}));
  EXPECT_EQ(cluster.card_at(1).price->value, Money(99));
  EXPECT_EQ(cluster.card_at(1).power, cluster.card.power);
  EXPECT_EQ(cluster.card_at(2).price, cluster.card.price);
  EXPECT_DOUBLE_EQ(cluster.card_at(2).power->value.value, 0.8);
  EXPECT_DOUBLE_EQ(cluster.card_at(2).power->high.value, 0.9);
  EXPECT_EQ(read(sound() + "[[card_override]]\ncard = 1\nprice = \"5 CHF\"").currency, "CHF")
      << "an override alone may have a price";
}

TEST(PriceAndPower, AreReadOfAStarsSwitch) {
  const std::string star = with("\"ring\"", "\"star\"");
  const Cluster cluster =
      read(star + "[switch]\nprice = { value = \"25 EUR\", high = \"30 EUR\" }\npower = \"5 W\"\n");
  EXPECT_EQ(cluster.currency, "EUR");
  EXPECT_EQ(cluster.star_switch.price, (Ranged<Money>{Money(25), Money(25), Money(30), ""}));
  EXPECT_EQ(cluster.star_switch.power->value, Watts(5));
  EXPECT_EQ(read(star + "[switch]\npower = \"5 W\"\n").currency, "");
  refuse(star + "[switch]\npricee = \"25 EUR\"", "x.toml:16: switch.pricee", "did you mean price?");
  refuse(star + "[switch]\nports = 8", "x.toml:16: switch.ports",
         "unknown key, wanted one of contention, price, power");
  refuse("switch = 1\n" + star, "x.toml:1: switch", "wanted a table, got a bare number");
}

TEST(PriceAndPower, OnlyAStarHasASwitch) {
  const std::string table = "[switch]\nprice = \"25 EUR\"\n";
  for (const std::string topology : {"ring", "line", "full_mesh"}) {
    refuse(with("\"ring\"", "\"" + topology + "\"") + table, "x.toml:15: switch",
           "only a star has a switch, wanted no such table, or topology = \"star\", got topology = \"" +
               topology + "\"");
  }
  refuse(with("\"ring\"", "\"torus\"\ntorus_columns = 2") + table, "x.toml:16: switch",
         "only a star has a switch");
}

TEST(PriceAndPower, RefusesTwoCurrencies) {
  refuse(with("[link]", kPriced) + "[[card_override]]\ncard = 1\nprice = \"99 USD\"",
         "x.toml:19: card_override[0].price",
         "prices in two currencies, wanted EUR, as the prices before it, got USD");
  refuse(with("[link]", "price = { value = \"5 EUR\", low = \"9 USD\", high = \"9 EUR\" }\n[link]"),
         "x.toml:9: card.price.low", "wanted EUR, as the prices before it, got USD");
  refuse(replaced(with("[link]", kPriced), "\"ring\"", "\"star\"") + "[switch]\nprice = \"5 GBP\"",
         "x.toml:18: switch.price", "wanted EUR, as the prices before it, got GBP");
  refuse(sound() + "[[card_override]]\ncard = 1\nprice = \"5 CHF\"\n[[card_override]]\ncard = 2\n" +
             "price = { value = \"6 USD\" }",
         "x.toml:20: card_override[1].price.value", "wanted CHF, as the prices before it, got USD");
}

TEST(PriceAndPower, RefusesWhatIsNoPriceOrPower) {
  const auto card_with = [](std::string_view line) { return with("[link]", std::string(line) + "\n[link]"); };
  refuse(card_with("price = 89"), "x.toml:9: card.price", "got a bare number");
  for (const std::string bad :
       {"89", "0 EUR", "-1 EUR", "89 eur", "89 EURO", "EUR 89", "inf EUR", "1e999 EUR"}) {
    refuse(card_with("price = \"" + bad + "\""), "x.toml:9: card.price",
           "not a quantity, wanted a price above zero such as \"89 EUR\", got \"" + bad + "\"");
  }
  for (const std::string bad : {"12", "0 W", "-1 W", "12 MW", "12 J", "nan W", "1e308 kW"}) {
    refuse(card_with("power = \"" + bad + "\""), "x.toml:9: card.power",
           "not a quantity, wanted a power above zero");
  }
  refuse(card_with("price = { low = \"1 EUR\" }"), "x.toml: card.price.value", "missing");
  refuse(card_with("price = { value = \"1 EUR\", in = \"EUR\" }"), "x.toml:9: card.price.in", "unknown key");
  refuse(card_with("price = { value = \"89.50 EUR\", low = \"90 EUR\" }"), "x.toml:9: card.price",
         "value outside its own range, wanted low <= value <= high, got low 90, value 89.50, high 89.50");
  refuse(card_with("power = { value = \"12 W\", high = \"900 mW\" }"), "x.toml:9: card.power",
         "got low 12 W, value 12 W, high 900 mW");
}

}  // namespace
}  // namespace spanker
