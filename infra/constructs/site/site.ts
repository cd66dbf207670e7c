import { Duration } from 'aws-cdk-lib'
import { Construct } from 'constructs'
import { NamedAlarm } from '../alarms/named-alarm.ts'
import { readOwnParameter } from '../policy/own-parameters.ts'
import { partitionsOf, type WebProps, webFunction } from './web-function.ts'

/** In five minutes. */
const MANY_SERVER_ERRORS = 10

/**
 * The login pages behind the API: function, role, log, alarms. The function that everybody on the internet reaches may read
 * state records and the key of its own links, and no token.
 */
export class Site extends Construct {
  constructor(scope: Construct, id: string, props: WebProps) {
    super(scope, id)
    const { handler } = webFunction(this, props, {
      entry: 'site.ts',
      description: 'The page where people log in at their brokers',
      roleDescription: 'What the login site may do',
      partitions: partitionsOf(props.brokers),
      statements: readOwnParameter(this, 'SigningKey', props),
    })
    props.api.pagesBy(handler)
    // At the first occurrence: a login page that fails is found by a person in a hurry.
    new NamedAlarm(this, 'ErrorsAlarm', {
      title: 'login site fails',
      happened: 'The function of the login site itself failed',
      toDo: 'read its log',
      metric: handler.metricErrors({ period: Duration.minutes(5) }),
      telling: props.telling,
    })
    new NamedAlarm(this, 'ServerErrorsAlarm', {
      title: 'login site answers with errors',
      happened: 'The login site answered with many errors',
      toDo: 'read the log of its functions and of its API',
      metric: props.api.api.metricServerError({ period: Duration.minutes(5) }),
      // A broker that is away for a moment is a 503 to a program, which tries again: nobody is called for that.
      threshold: MANY_SERVER_ERRORS,
      telling: props.telling,
    })
  }
}
