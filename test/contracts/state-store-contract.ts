import { Temporal } from 'temporal-polyfill'
import { beforeEach, describe, expect, test } from 'vitest'
import { parseAccountId } from '../../lib/model/account-id.ts'
import {
  type AccountState,
  changed,
  newAccountState,
  type StateChanges,
} from '../../lib/model/account-state.ts'
import type { StateStore } from '../../lib/ports/state-store.ts'
import { COMPLETE } from '../support/complete-record.ts'
import { shown } from '../support/shown.ts'

const ACCOUNT = parseAccountId('fyers')
const NOON = Temporal.Instant.from('2026-11-23T12:00:00Z')
const WRITERS = 20

/** What every state store promises. `open` gives an empty one. */
export function stateStoreContract(adapter: string, open: () => Promise<StateStore>): void {
  describe(`${adapter} keeps the promises of a state store`, () => {
    let states: StateStore

    beforeEach(async () => {
      states = await open()
    })

    const create = async (id: string, changes: StateChanges = {}): Promise<AccountState> => {
      const state = changed(newAccountState(parseAccountId(id)), changes)
      expect(await states.replace(state)).toEqual({ written: true })
      return state
    }
    const listed = async (broker: string): Promise<string[]> => {
      const ids: string[] = []
      for await (const { account } of states.list(broker)) ids.push(account)
      return ids
    }
    const current = async () => shown(await states.get(ACCOUNT))

    test('an account nobody registered has no record', async () => {
      await create('fyers/one')
      expect(await states.get(ACCOUNT)).toBeUndefined()
    })

    test('every field comes back as it was, instants as instants', async () => {
      await states.replace(COMPLETE)
      expect(await current()).toEqual(shown(COMPLETE))
      for await (const state of states.list('fyers')) expect(shown(state)).toEqual(shown(COMPLETE))
    })

    test('a field that is dropped is gone', async () => {
      await states.replace(COMPLETE)
      await states.replace(changed(COMPLETE, { lease: undefined, incident: undefined }))
      expect(Object.keys((await states.get(ACCOUNT)) ?? {}).toSorted()).toEqual(
        Object.keys(COMPLETE)
          .filter((field) => field !== 'lease' && field !== 'incident')
          .toSorted(),
      )
    })

    test('a record is replaced by its next revision', async () => {
      const first = await create('fyers')
      const second = changed(first, { generation: 1 })
      expect(await states.replace(second)).toEqual({ written: true })
      expect(await current()).toEqual(shown(second))
    })

    test.each([
      ['the first one again', 1],
      ['the one that stands', 2],
      ['one too far', 4],
    ])('revision %s is refused, and the answer is what stands there', async (_, revision) => {
      const second = changed(await create('fyers'), { generation: 1 })
      await states.replace(second)
      const late = { ...second, revision, generation: 99 }
      const replaced = await states.replace(late)
      expect(replaced).toMatchObject({ written: false })
      expect(shown(!replaced.written && replaced.current)).toEqual(shown(second))
      expect(await current()).toEqual(shown(second))
    })

    test('a record that was removed meanwhile is not written back', async () => {
      const first = await create('fyers')
      await states.remove(ACCOUNT)
      expect(await states.replace(changed(first, {}))).toEqual({ written: false, current: undefined })
      expect(await states.get(ACCOUNT)).toBeUndefined()
    })

    test.each([
      ['create', 0],
      ['replace', 1],
    ])(
      'of 20 writers that %s one record at the same time one wins, and the others get its record',
      async (_, before) => {
        const state = before === 0 ? newAccountState(ACCOUNT) : await create('fyers')
        const answers = await Promise.all(
          Array.from({ length: WRITERS }, (_writer, writer) =>
            states.replace(leasedBy(`run-${writer}`, state)),
          ),
        )
        const losers = answers.filter((answer) => !answer.written)
        expect(losers).toHaveLength(WRITERS - 1)
        const winner = answers.findIndex(({ written }) => written)
        expect(await current()).toEqual(shown(leasedBy(`run-${winner}`, state)))
        for (const { current: found } of losers) expect(found?.lease?.owner).toBe(`run-${winner}`)
      },
    )

    test('the list has all accounts of one broker and no other’s, in the order of their ids', async () => {
      const numbered = Array.from({ length: 300 }, (_, number) => `iifl/${String(number).padStart(8, '0')}`)
      const ids = ['iifl', 'iifl/A', 'iifl/Z', 'iifl/a', 'iifl/a.b', 'iifl/a_b', ...numbered]
      for (let from = 0; from < ids.length; from += 20) {
        await Promise.all(ids.slice(from, from + 20).map((id) => create(id, { clientName: 'x'.repeat(500) })))
      }
      await create('iifl-xts')
      await create('fyers')
      expect(await listed('iifl')).toEqual(ids.toSorted())
      expect(await listed('zerodha')).toEqual([])
    })

    test('a list that is read in part, and records replaced while it is read, are no trouble', async () => {
      for (const id of ['fyers', 'fyers/a', 'fyers/b']) await create(id)
      for await (const state of states.list('fyers')) {
        expect(await states.replace(changed(state, { generation: 1 }))).toEqual({ written: true })
        if (state.account === 'fyers/a') break
      }
      const generations: number[] = []
      for await (const { generation } of states.list('fyers')) generations.push(generation)
      expect(generations).toEqual([1, 1, 0])
    })

    test('a removed account is gone, can be removed again, and starts anew with revision 1', async () => {
      await create('fyers')
      await create('fyers/a')
      await states.remove(ACCOUNT)
      await states.remove(ACCOUNT)
      expect(await listed('fyers')).toEqual(['fyers/a'])
      await create('fyers')
      expect(await listed('fyers')).toEqual(['fyers', 'fyers/a'])
    })
  })
}

function leasedBy(owner: string, state: AccountState): AccountState {
  return changed(state, { lease: { owner, until: NOON } })
}
