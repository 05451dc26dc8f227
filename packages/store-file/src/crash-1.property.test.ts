import { describeCrashes } from "../test-support/describe-crashes.ts";

describeCrashes(0);
