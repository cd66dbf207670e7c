import { assertAllowedOrigin, isLoopback } from '../../http/allowed-origin.ts'
import { ConfigurationError } from '../../model/errors.ts'
import { USER_AGENT } from '../../model/version.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import { HttpError } from '../../ports/http.ts'
import type { Composition } from '../backend/composition.ts'
import { type Finding, fail, note, pass, warn } from './finding.ts'

const TIMEOUT_MS = 5_000
/**
 * Below this one-time codes still arrive in their step; from the second on they do not (lib/brokers/README.md, Time).
 */
const DRIFT_FINDING_S = 5
const DRIFT_ALARM_S = 15

/** A broker's hosts: https, within reach, and of the same opinion as this machine about the time. */
export async function hostFindings(
  broker: Broker,
  { ports, config }: Composition,
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const [name, usual] of Object.entries(broker.hosts)) {
    const origin = ports.hosts[name] ?? usual
    if (origin === undefined) continue
    const what = `${broker.id} ${name}`
    try {
      assertAllowedOrigin(origin, config.allowHttpHosts, what)
      findings.push(await reached(what, origin, ports))
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      findings.push(fail(what, error.message, error.fix))
    }
  }
  if (broker.warning) findings.push(note(broker.id, broker.warning))
  return findings
}

async function reached(
  what: string,
  origin: string,
  { http, clock }: Composition['ports'],
): Promise<Finding> {
  const { host, hostname } = new URL(origin)
  try {
    const reply = await http.send({
      method: 'GET',
      url: origin,
      headers: { 'user-agent': USER_AGENT },
      timeoutMs: TIMEOUT_MS,
    })
    const theirs = Date.parse(reply.headers['date'] ?? '')
    if (Number.isNaN(theirs)) return pass(what, `${host} answers`)
    const drift = Math.round((theirs + 500 - clock.now().epochMilliseconds) / 1000)
    const says = `${host} answers; its clock is ${Math.abs(drift)} s ${drift < 0 ? 'behind' : 'ahead of'} this machine's`
    if (Math.abs(drift) <= DRIFT_FINDING_S) return pass(what, `${host} answers; the clocks agree`)
    const fix = 'set this machine to network time (timedatectl set-ntp true)'
    return Math.abs(drift) > DRIFT_ALARM_S && !isLoopback(hostname)
      ? fail(what, says, fix)
      : warn(what, says, fix)
  } catch (error) {
    if (!(error instanceof HttpError)) throw error
    return warn(
      what,
      `${host} could not be reached (${error.reason})`,
      error.fix ?? 'check the network, a proxy or a firewall',
    )
  }
}
