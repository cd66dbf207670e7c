import * as z from 'zod/mini'
import type { Notice } from '../../../lib/channels/notice.ts'
import { BARE, type CommandWords } from '../../../lib/model/command-words.ts'
import { ConfigurationError } from '../../../lib/model/errors.ts'

/** Between what happened and what to do in the description of an alarm (infra/constructs/alarms/named-alarm.ts). */
const TO_DO = '; '
const PLAIN_CALL = 'tokenkeeper'
/** What can wait until office hours; everything else may cost a login or the open. By the alarm's metric. */
const NOT_A_PAGE: ReadonlySet<string> = new Set(['AlertSubscriptionProblems', 'ClockDriftSeconds'])

const State = z.object({ value: z.string(), reason: z._default(z.string(), '') })
const MetricOfAlarm = z.object({
  metricStat: z.optional(
    z.object({
      metric: z.object({
        name: z.string(),
        dimensions: z._default(z.record(z.string(), z.string()), {}),
      }),
    }),
  ),
})
/** What CloudWatch calls a function with (its manual, "Invoke a Lambda function from an alarm"), as far as it is read. */
const AlarmEvent = z.object({
  alarmData: z.object({
    alarmName: z.string(),
    state: State,
    previousState: z.optional(State),
    configuration: z.optional(
      z.object({
        description: z.optional(z.string()),
        metrics: z._default(z.array(MetricOfAlarm), []),
      }),
    ),
  }),
})

/**
 * What people are told when an alarm changes its state; `undefined` for a change nobody has to hear of: the first state
 * of a new alarm, and its way back from having no data. `words` are those its description names our command by. Throws
 * ConfigurationError for what no alarm sends.
 */
export function noticeOfAlarm(event: unknown, words: CommandWords = BARE): Notice | undefined {
  const parsed = AlarmEvent.safeParse(event)
  if (!parsed.success) {
    throw new ConfigurationError('this event is not one that a CloudWatch alarm sends', {
      fix: 'leave this function to the alarms of its stack',
    })
  }
  const { alarmName, state, previousState, configuration } = parsed.data.alarmData
  const [metric] = configuration?.metrics.flatMap(({ metricStat }) => metricStat?.metric ?? []) ?? []
  const broker = metric?.dimensions['broker']
  const about = broker === undefined ? {} : { broker }
  const { happened, toDo } = descriptionOf(plain(configuration?.description, words), alarmName, state.reason)
  if (state.value === 'ALARM') {
    const severity = NOT_A_PAGE.has(metric?.name ?? '') ? 'action' : 'page'
    return {
      kind: 'operator_action',
      severity,
      ...about,
      title: `Alarm: ${alarmName}`,
      reason: happened,
      action: toDo,
    }
  }
  if (state.value !== 'OK' || previousState?.value !== 'ALARM') return undefined
  return {
    kind: 'solved',
    severity: 'info',
    ...about,
    title: `Solved: ${alarmName}`,
    reason: `this is over: ${happened}`,
    action: 'nothing to do',
  }
}

/** With our command in its plain form, which whoever words the message knows and breaks over no two lines. */
function plain(text: string | undefined, words: CommandWords): string | undefined {
  return 'call' in words ? text?.replaceAll(`${words.call} `, `${PLAIN_CALL} `) : text
}

function descriptionOf(description: string | undefined, alarmName: string, said: string) {
  const end = description?.lastIndexOf(TO_DO) ?? -1
  if (description === undefined || end < 0) {
    return { happened: description ?? said, toDo: `look at the alarm "${alarmName}" in CloudWatch` }
  }
  return { happened: description.slice(0, end), toDo: description.slice(end + TO_DO.length) }
}
