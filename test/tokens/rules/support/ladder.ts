import { Temporal } from 'temporal-polyfill'
import { parseAccountId } from '../../../../lib/model/account-id.ts'
import { type AccountState, type GrantBlock, newAccountState } from '../../../../lib/model/account-state.ts'
import { Secret } from '../../../../lib/model/secrets/secret.ts'
import type { SecretName } from '../../../../lib/model/secrets/secret-name.ts'
import type { Broker, Grant } from '../../../../lib/ports/broker/broker.ts'
import type { StoredSecret } from '../../../../lib/ports/token-vault.ts'
import { secretStamp } from '../../../../lib/tokens/rules/grants/secret-stamp.ts'
import { tokenRecord } from '../../../support/token-record.ts'

/** The instant of every decision, where a test says no other. */
export const NOW = Temporal.Instant.from('2026-11-23T07:00:00+05:30')

function grant(kind: Grant['kind'], needs: SecretName[], more: Partial<Grant> = {}): Grant {
  return {
    kind,
    needs,
    budget: { perHour: 2, perDay: 4, minimumGapSeconds: 60 },
    repeatsAfterAmbiguity: 0,
    renew: () => Promise.reject(new Error('deciding calls nobody')),
    ...more,
  }
}

export const REFRESH = grant('refresh_token', ['client_id', 'refresh_token'])
export const LOGIN = grant('credentials', ['client_id', 'password'])

/** A broker with two grants, a refresh token and a password, on no market. */
export const LADDER: Broker = {
  id: 'ladder',
  displayName: 'Ladder',
  hosts: {},
  credentials: [
    {
      name: 'client_id',
      label: 'id',
      hidden: false,
      required: true,
      problem: (id) => (id === 'bad' ? 'it is bad' : undefined),
    },
    { name: 'password', label: 'password', hidden: true, required: false },
  ],
  sessions: 'one',
  session: {
    timeZone: 'Asia/Kolkata',
    accessToken: { earliestOf: [{ kind: 'reply' }], otherwise: { kind: 'hours', hours: 6 } },
  },
  grants: [REFRESH, LOGIN],
  login: { how: 'log in' },
  prove: () => Promise.reject(new Error('deciding calls nobody')),
  pacingSeconds: 0,
  concurrency: 1,
  schedule: { expressions: ['rate(1 hour)'], timeZone: 'Asia/Kolkata' },
}

/** These names, as they are stored. */
export function stored(...names: SecretName[]): Map<SecretName, StoredSecret> {
  return new Map(
    names.map((name) => [
      name,
      { value: new Secret(`sim-${name}`), version: 3, modifiedAt: NOW.subtract({ hours: 48 }) },
    ]),
  )
}

export const ALL = ['client_id', 'refresh_token', 'password', 'access_token'] as const

/** An account whose token was proven just now and lives for another five hours, or as many minutes as told. */
export function state(more: Partial<AccountState> = {}, lifeLeftMinutes = 300): AccountState {
  return {
    ...newAccountState(parseAccountId('ladder')),
    revision: 7,
    accessToken: tokenRecord({
      issuedAt: NOW.subtract({ minutes: 360 - lifeLeftMinutes }),
      expiresAt: NOW.add({ minutes: lifeLeftMinutes }),
      provenAt: NOW,
      publishedAt: NOW.subtract({ hours: 48 }),
      version: 3,
    }),
    ...more,
  }
}

/** What is on record of a grant that was refused with what is stored now. */
export function block(
  code: GrantBlock['code'],
  more: Partial<GrantBlock> = {},
  names: readonly SecretName[] = REFRESH.needs,
): GrantBlock {
  const stamps = Object.fromEntries(names.map((name) => [name, secretStamp(stored(...ALL), name)]))
  return { code, reason: 'it was refused', fix: 'mend it', stamps, forcible: false, ...more }
}

/** Minutes a token still lives when a renewal is due, and when it is dead. */
export const DUE = 30
export const DEAD = -1
