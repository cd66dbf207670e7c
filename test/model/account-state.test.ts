import { expect, test } from 'vitest'
import { changed, withChanges } from '../../lib/model/account-state.ts'
import { COMPLETE } from '../support/complete-record.ts'

test('changes set fields and remove those that are undefined; only a next revision counts', () => {
  const changes = { generation: 42, doubt: undefined }
  const { doubt: _, ...rest } = COMPLETE
  expect(withChanges(COMPLETE, changes)).toStrictEqual({ ...rest, generation: 42 })
  expect(changed(COMPLETE, changes)).toStrictEqual({
    ...rest,
    generation: 42,
    revision: COMPLETE.revision + 1,
  })
})
