import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../../model/account-id.ts'
import type { AccountSettings } from '../../model/account-state.ts'
import { BrokerUnavailableError, ConfigurationError, WAIT_FOR_RUN } from '../../model/errors.ts'
import type { Secret } from '../../model/secrets/secret.ts'
import type { SecretName } from '../../model/secrets/secret-name.ts'
import { CLOCK_TOLERANCE_SECONDS } from '../../model/time/clock-tolerance.ts'
import { isBefore } from '../../model/time/instants.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { BrokerContext } from '../../ports/broker/broker-context.ts'
import { HttpError } from '../../ports/http.ts'
import type { Ports } from '../../ports/ports.ts'
import type { Publication } from '../../ports/subscriber.ts'
import type { StoredSecrets } from '../../ports/token-vault.ts'
import type { UsedCredentials } from '../rules/grants/lockout.ts'
import { TOTP_STEP_S } from '../rules/grants/totp-step.ts'
import { BrokerClock } from './broker-clock.ts'

const DEFAULT_TIMEOUT_MS = 15_000
/** Seconds a one-time code must have left, or it may arrive too late (lib/brokers/README.md, Time). */
const TOTP_MIN_SECONDS_LEFT = 8
/**
 * A recorded step that is further ahead was noted by a clock that was ahead. It is ignored, or it would hold
 * up all codes until then.
 */
const TOTP_MOST_STEPS_AHEAD = CLOCK_TOLERANCE_SECONDS / TOTP_STEP_S
/** A clock that differs from the broker's by more is logged and counted. */
const DRIFT_FINDING_S = 5

export interface ContextOptions {
  readonly broker: Broker
  readonly account: AccountId
  readonly settings: AccountSettings
  readonly stored: StoredSecrets
  readonly deadline: Temporal.Instant
  /** The last one-time-code step used for this account. */
  readonly totpStep: number | undefined
  /**
   * Extends the lease until this process ends, for what must not be lost; returns the last instant for a
   * write.
   */
  readonly moreTime?: (() => Promise<Temporal.Instant>) | undefined
}

/** A {@link BrokerContext} that also gives what the run has to record afterwards. */
export interface RunContext extends BrokerContext, UsedCredentials {
  /** The last one-time-code step used, this run included. */
  usedTotpStep(): number | undefined
  /**
   * Extends the lease, once writing a refresh token has failed; returns until when to repeat that: later than
   * `deadline` where possible.
   */
  moreTime(): Promise<Temporal.Instant>
  /** Notes what was published; subscribers are told along with the record. */
  published(publication: Publication): void
  publications(): readonly Publication[]
}

/**
 * What the adapter may use for one piece of work on one account: its secrets, HTTP, one-time codes, the
 * deadline.
 */
export function brokerContext(options: ContextOptions, ports: Ports): RunContext {
  const { broker, account, stored, deadline } = options
  const { clock } = ports
  let { totpStep } = options
  const brokerClock = new BrokerClock()
  const publications: Publication[] = []
  const used = new Set<SecretName>()
  const taken = new Set<SecretName>()

  const optional = (name: SecretName): Secret | undefined => {
    used.add(name)
    return stored.get(name)?.value
  }

  return {
    account,
    settings: options.settings,
    clock,
    deadline,
    allowHttpHosts: ports.allowHttpHosts ?? [],
    optional,
    accepted: (name) => void taken.add(name),
    wasUsed: (name) => used.has(name),
    wasAccepted: (name) => taken.has(name),
    secret(name) {
      const secret = optional(name)
      if (secret) return secret
      throw new ConfigurationError(`${name} is not stored`, { fix: `run tokenkeeper setup ${account}` })
    },
    host(name) {
      const origin = ports.hosts[name] ?? broker.hosts[name]
      if (origin === undefined) throw new Error(`broker ${broker.id} has no host ${name}`)
      return origin
    },
    async send(request) {
      const remainingMs = clock.now().until(deadline).total('milliseconds')
      if (remainingMs < 1) throw new HttpError('DEADLINE', { sent: false })
      const timeoutMs = Math.min(request.timeoutMs ?? DEFAULT_TIMEOUT_MS, remainingMs)
      const sentAt = clock.now()
      const reply = await ports.http.send({ ...request, timeoutMs })
      brokerClock.read(reply.headers['date'], { sentAt, repliedAt: clock.now() })
      const { driftMs } = brokerClock
      if (driftMs !== undefined && Math.abs(driftMs) > DRIFT_FINDING_S * 1000) {
        ports.telemetry.warn('this clock differs from the broker', {
          account,
          seconds: Math.round(driftMs / 1000),
        })
        ports.telemetry.count('ClockDriftSeconds', broker.id, Math.round(Math.abs(driftMs) / 1000))
      }
      return reply
    },
    async totp(secret) {
      const isUsed = (step: number): boolean =>
        totpStep !== undefined && step <= totpStep && totpStep - step <= TOTP_MOST_STEPS_AHEAD
      let present = surelyBegun(brokerClock, clock.now())
      while (present.secondsLeft < TOTP_MIN_SECONDS_LEFT || isUsed(present.step)) {
        const waitMs = present.nextInMs
        const resumesAt = clock.now().add({ milliseconds: waitMs })
        if (!isBefore(resumesAt, deadline)) {
          throw new BrokerUnavailableError('no unused one-time code begins before the deadline', {
            sent: false,
            fix: WAIT_FOR_RUN,
          })
        }
        await clock.sleep(waitMs)
        present = surelyBegun(brokerClock, clock.now())
      }
      totpStep = present.step
      // Loaded only by the few logins that need it.
      const { TOTP } = await import('otpauth')
      // RFC 6238 with the parameters all brokers here use: SHA-1, six digits, 30 s.
      const generator = new TOTP({
        secret: secret.reveal(),
        algorithm: 'SHA1',
        digits: 6,
        period: TOTP_STEP_S,
      })
      return generator.generate({ timestamp: totpStep * TOTP_STEP_S * 1000 })
    },
    brokerDriftMs: () => brokerClock.driftMs,
    usedTotpStep: () => totpStep,
    moreTime: options.moreTime ?? (async () => deadline),
    published: (publication) => void publications.push(publication),
    publications: () => publications,
  }
}

interface PresentStep {
  readonly step: number
  /** Seconds the step has left at the least; negative where it may be over. */
  readonly secondsLeft: number
  /** Milliseconds until the next step has certainly begun. */
  readonly nextInMs: number
}

/**
 * The last step that has certainly begun at the broker, whatever its clock shows within what is known of it.
 */
function surelyBegun(brokerClock: BrokerClock, now: Temporal.Instant): PresentStep {
  const { earliestMs, latestMs } = brokerClock.at(now)
  const step = Math.floor(earliestMs / 1000 / TOTP_STEP_S)
  const endsMs = (step + 1) * TOTP_STEP_S * 1000
  return { step, secondsLeft: (endsMs - latestMs) / 1000, nextInMs: Math.ceil(endsMs - earliestMs) }
}
