import { COMPLETE } from '../../../support/complete-record.ts'

const { markets: _since02, ...settings } = COMPLETE.settings

/** The complete record as it is in the files of test/model/state/from-0.1: a field added since is taken out here. */
export const OF_0_1 = { ...COMPLETE, settings }
