import { describeFixtures } from "../test-support/describe-fixtures.ts";
import { fixtureNames } from "../test-support/fixtures.ts";

// Those that are encrypted are run by the package that can read them.
describeFixtures(
  fixtureNames().filter((name) => !name.startsWith("encrypted-")),
  4948,
);
