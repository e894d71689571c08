/** The results as tables for people, with the targets and whether each is met. */
import type { Crowd } from './crowd.ts';
import type { Compared } from './side-by-side.ts';
import type { Size } from './size.ts';

export interface Results {
  date: string;
  node: string;
  cpus: number;
  quick: boolean;
  compared: Compared[];
  /** CPU in milliseconds. */
  login: { cpu_ms: number; hash_cpu_ms: number; beyond_hash_ms: number; bare_cpu_ms: number };
  crowd: { paced: Crowd; flat_out: Crowd };
  size: Size;
  peak_mib: { gatehouse: number; bare: number };
}

export interface Verdict {
  what: string;
  measured: string;
  target: string;
  met: boolean;
}

export const WITH_TARGET = ['client credentials, opaque', 'client credentials, JWT', 'refresh with rotation'];
const round = (value: number, digits = 0) => value.toFixed(digits);

function table(rows: string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ');
  return rows.map(line).join('\n');
}

const below = (what: string, value: number, limit: number, unit: string): Verdict => ({
  what,
  measured: `${round(value, value < 100 ? 1 : 0)} ${unit}`,
  target: `< ${limit} ${unit}`,
  met: value < limit,
});

const crowdVerdict = (what: string, { alone_p99_ms, with_logins_p99_ms, ratio }: Crowd): Verdict => ({
  what: `token p99 while 8 people sign in, ${what}`,
  measured: `${round(ratio, 1)} x (${round(alone_p99_ms, 1)} -> ${round(with_logins_p99_ms, 1)} ms)`,
  target: '< 3 x',
  met: ratio < 3,
});

export function verdicts({ compared, login, crowd, size }: Results): Verdict[] {
  const ratios = compared
    .filter(({ name }) => WITH_TARGET.includes(name))
    .flatMap(({ name, ratio }) =>
      (['per_cpu_second', 'per_second'] as const).map((figure) => ({
        what: `${name}, ${figure.replaceAll('_', ' ')} against bare`,
        measured: round(ratio[figure], 2),
        target: '>= 0.90',
        met: ratio[figure] >= 0.9,
      })),
    );
  return [
    ...ratios,
    below('full login, CPU beyond the hash', login.beyond_hash_ms, 15, 'ms'),
    below('second start to ready', size.start_ms, 1500, 'ms'),
    below('resident memory idle', size.idle_rss_mib, 130, 'MiB'),
    below(
      `resident memory after ${size.logins.toLocaleString('en')} logins' records`,
      size.rss_with_records_mib,
      250,
      'MiB',
    ),
    crowdVerdict('100 requests/s', crowd.paced),
    crowdVerdict('flat out', crowd.flat_out),
  ];
}

export function render(results: Results): string {
  const { compared, login, peak_mib, date, node, cpus, quick } = results;
  const rows = compared.flatMap(({ name, gatehouse, bare, ratio, generator_limited }) =>
    Object.entries({ gatehouse, bare }).map(([server, figure], i) => [
      i === 0 ? name + (generator_limited ? ' *' : '') : '',
      server,
      round(figure.per_second),
      round(figure.per_cpu_second),
      round(figure.p50_ms, 1),
      round(figure.p99_ms, 1),
      i === 0 ? round(ratio.per_second, 2) : '',
      i === 0 ? round(ratio.per_cpu_second, 2) : '',
    ]),
  );
  const limited = compared.some((one) => one.generator_limited)
    ? '* the load generator was busier than a server: its requests per second are a lower bound.\n'
    : '';
  return `
Gatehouse beside bare oidc-provider — ${date}, Node ${node}, ${cpus} CPUs${quick ? ', --quick' : ''}
Medians of alternating rounds, of tokens on several pairs of servers; ratios are Gatehouse / bare, the median of each round's.

${table([['', 'server', 'req/s', 'req/CPU-s', 'p50 ms', 'p99 ms', 'ratio/s', 'ratio/CPU-s'], ...rows])}
${limited}
Login: ${round(login.cpu_ms, 1)} ms CPU, of it ${round(login.hash_cpu_ms, 1)} ms argon2; bare without a hash ${round(login.bare_cpu_ms, 1)} ms.
Peak memory: Gatehouse ${round(peak_mib.gatehouse)} MiB, bare ${round(peak_mib.bare)} MiB (it keeps its records in it).

${table([['target', 'measured', 'wanted', ''], ...verdicts(results).map((v) => [v.what, v.measured, v.target, v.met ? 'met' : 'MISSED'])])}
`;
}
