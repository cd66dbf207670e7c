/**
 * The names of what the stack creates. Fixed by the stack's name, so that the command line finds everything
 * without looking it up, and two stacks can live in one account.
 */
export interface ResourceNames {
  readonly table: string
  readonly topic: string
  /** The topic that tells programs of each published token. */
  readonly events: string
  /** The login site: its HTTP API and the Lambda function of its pages. */
  readonly site: string
  /** The Lambda function of the interface for programs. */
  readonly rest: string
  /** The Lambda function that looks daily whether alerts reach people. */
  readonly subscriptionCheck: string
  /** The Lambda function that tells people of alarms. */
  readonly alarms: string
  /** The group of all its schedules. */
  readonly schedules: string
  /** The queue of what could not be started or finished. */
  readonly undelivered: string
  /** The Lambda function of one broker. */
  function(brokerId: string): string
}

export function resourceNames(stackName: string): ResourceNames {
  return {
    table: `${stackName}-state`,
    topic: `${stackName}-alerts`,
    events: `${stackName}-tokens`,
    site: `${stackName}-site`,
    rest: `${stackName}-rest`,
    subscriptionCheck: `${stackName}-subscriptions`,
    alarms: `${stackName}-alarms`,
    schedules: stackName,
    undelivered: `${stackName}-undelivered`,
    function: (brokerId) => `${stackName}-${brokerId}`,
  }
}
