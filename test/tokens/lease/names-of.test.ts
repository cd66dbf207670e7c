import { expect, test } from 'vitest'
import { ALL_BROKERS } from '../../../lib/brokers/index.ts'
import { MOST_NAMES_PER_READ } from '../../../lib/model/secrets/vault-limits.ts'
import { namesOf } from '../../../lib/tokens/lease/read-stored.ts'

test.each(ALL_BROKERS.map((broker) => [broker.id, broker] as const))(
  'the read of an account of %s has room for whose the parameters are, so that this costs no call',
  (_, broker) => {
    expect(namesOf(broker).length).toBeLessThan(MOST_NAMES_PER_READ)
  },
)
