import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import type { Stage } from "../harness/stage.ts";

/** Where a Chromium may be; `CHROMIUM` names another one. */
const PLACES: readonly string[] = [
  process.env["CHROMIUM"] ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** The browser that is there; undefined for none. */
export const browserPath: string | undefined = PLACES.find((path) => path !== "" && existsSync(path));

if (browserPath === undefined) {
  process.stderr.write(
    "The dashboard's scenarios are left out: there is no Chromium. Install one (Debian and Ubuntu: apt-get install chromium) or name it in CHROMIUM.\n",
  );
}

/** Folder that pictures go to; without one none are made. */
const images: string = process.env["DASHBOARD_IMAGES"] ?? "";
export const takesImages: boolean = images !== "";

/** A page, and everything about it that must not happen. */
export interface Watched {
  readonly page: Page;
  /** Errors of scripts, violations of the page's policy, requests to anywhere else, in the order in which they came. */
  readonly faults: readonly string[];
  /** Shows a view and waits until it stands. */
  open(view: string): Promise<void>;
  /** A picture of what is shown in light and in dark; nothing without a folder for it. */
  picture(name: string): Promise<void>;
}

export async function startBrowser(stage: Stage): Promise<Browser> {
  const browser = await chromium.launch({
    ...(browserPath === undefined ? {} : { executablePath: browserPath }),
    // Containers run as root and have little shared memory.
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
  stage.defer(() => browser.close());
  return browser;
}

export interface WatchOptions {
  readonly credentials?: { readonly username: string; readonly password: string };
}

/** Opens the dashboard of a server. */
export async function watchPage(
  stage: Stage,
  browser: Browser,
  monitorPort: number,
  options: WatchOptions = {},
): Promise<Watched> {
  const origin = `http://127.0.0.1:${monitorPort}`;
  const context = await browser.newContext({
    viewport: { width: 1_280, height: 800 },
    colorScheme: "light",
    ...(options.credentials === undefined ? {} : { httpCredentials: options.credentials }),
  });
  stage.defer(() => context.close());
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !url.startsWith("data:")) faults.push(`request to ${url}`);
  });
  stage.onFailure(() => `--- faults of the page ---\n${faults.join("\n")}`);
  await page.goto(`${origin}/`);
  return {
    page,
    faults,
    async open(view: string): Promise<void> {
      await page.goto(`${origin}/${view}`);
    },
    async picture(name: string): Promise<void> {
      if (!takesImages) return;
      await mkdir(images, { recursive: true });
      await page.mouse.move(0, 0);
      await page.mouse.wheel(0, -100_000);
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        await page.locator(`html[data-theme="${colorScheme}"]`).waitFor();
        await page.screenshot({ path: join(images, `dashboard-${name}-${colorScheme}.png`), fullPage: true });
      }
      await page.emulateMedia({ colorScheme: "light" });
    },
  };
}
