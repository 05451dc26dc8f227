import { describe, expect, it } from "vitest";
import { FLAG_GROUPS, flagId } from "../flags/flag.ts";
import { flagTable } from "../flags/flag-table.ts";
import { helpText } from "../flags/help.ts";
import { COMMANDS } from "../inspect/inspect-flags.ts";
import { optionsById } from "./apply-flags.ts";
import { newDraft } from "./draft.ts";
import { natsAuthorization, natsFlagOptions, natsGeneral } from "./nats-table.ts";
import { optionText } from "./option.ts";
import { keysOf } from "./read-map.ts";
import { streamingSections } from "./streaming-table.ts";

const KINDS: Readonly<Record<string, readonly string[]>> = {
  string: ["string"],
  bool: ["bool"],
  int: ["int", "size"],
  size: ["int", "size"],
  duration: ["duration"],
  list: ["strings"],
};

describe("the option tables", () => {
  it("give every option an id of its own", () => {
    const all = [
      ...streamingSections.flatMap((section) => section.options),
      ...natsGeneral,
      ...natsAuthorization,
      ...natsFlagOptions,
    ];
    expect(new Set(all.map((option) => option.id)).size).toBe(all.length);
    expect(optionsById.size).toBe(all.length);
  });

  it("give every key of a section to one option", () => {
    for (const section of streamingSections) {
      const keys = keysOf(section.options);
      expect(new Set(keys).size).toBe(keys.length);
      expect(keys.every((key) => key === key.toLowerCase())).toBe(true);
    }
  });
});

describe("the flag table", () => {
  it("gives every name to one flag", () => {
    const names = flagTable.flatMap((flag) => flag.names);
    expect(new Set(names).size).toBe(names.length);
  });

  const settings = flagTable.flatMap((flag) => flag.sets.map((id): [string, string] => [flagId(flag), id]));
  it.each(settings)("lets -%s set the option %s, with the default that the help shows", (id, optionId) => {
    const flag = flagTable.find((candidate) => flagId(candidate) === id);
    const option = optionsById.get(optionId);
    if (flag === undefined || option === undefined) throw new Error("missing");
    expect(KINDS[flag.kind]).toContain(option.kind);
    const present = optionText(option, newDraft());
    if (flag.default !== "") expect(flag.default).toBe(present);
    else expect(["", "0"]).toContain(present);
  });

  it("holds every flag of configuration.md 4.2 and 4.3", () => {
    const names = new Set(flagTable.flatMap((flag) => flag.names));
    const documented = `cid cluster_id st store dir mc max_channels msu max_subs mm max_msgs mb max_bytes ma max_age mi max_inactivity
      ns nats_server sc stan_config hbi hb_interval hbt hb_timeout hbf hb_fail_count ft_group ft_group_name SD stan_debug SV stan_trace
      SDV secure tls_client_cert tls_client_key tls_client_cacert syslog_name encrypt encryption_cipher encryption_key replace_durable
      io_batch_size io_sleep_time clustered cluster_node_id cluster_bootstrap cluster_peers cluster_log_path cluster_log_cache_size
      cluster_log_snapshots cluster_trailing_logs cluster_sync cluster_raft_logging cluster_proceed_on_restore_failure
      cluster_allow_add_remove_node file_compact_enabled file_compact_frag file_compact_interval file_compact_min_size file_buffer_size
      file_read_buffer_size file_crc file_crc_poly file_sync file_slice_max_msgs file_slice_max_bytes file_slice_max_age
      file_slice_archive_script file_fds_limit file_parallel_recovery file_auto_sync file_truncate_bad_eof sql_driver sql_source
      sql_no_caching sql_max_open_conns sql_bulk_insert_limit
      a addr net p port n name server_name client_advertise m http_port ms https_port c config P pid ports_file_dir l log log_size_limit
      s syslog r remote_syslog T logtime D debug V trace VV DV DVV max_traced_msg_len user pass auth tls tlscert tlskey tlsverify
      tlscacert routes cluster cluster_listen cluster_name cluster_advertise no_advertise connect_retries profile js jetstream sd
      store_dir sl signal t h help v version help_tls`;
    expect(documented.split(/\s+/).filter((name) => !names.has(name))).toEqual([]);
  });

  it("shows in the help every group in order and every flag that has an effect", () => {
    const help = helpText("server", flagTable);
    const headings = [...help.matchAll(/^(\S.*Options):$/gm)].map((match) => match[1]);
    expect(headings).toEqual(FLAG_GROUPS);
    for (const flag of flagTable) {
      const line = help
        .split("\n")
        .find((candidate) => candidate.includes(`-${flagId(flag)}`) && candidate.startsWith("    -"));
      expect(line !== undefined, flagId(flag)).toBe(flag.noEffect === "");
    }
    expect(help.split("\n").filter((line) => /\s$/.test(line))).toEqual([]);
  });

  it("names in the help every command with what it shows", () => {
    const help = helpText("server", flagTable).split("\n");
    for (const [name, { about }] of Object.entries(COMMANDS)) {
      expect(
        help.some((line) => line.startsWith(`    ${name} `) && line.endsWith(about)),
        name,
      ).toBe(true);
    }
    expect(help.some((line) => line.startsWith("    partitions "))).toBe(true);
  });
});
