import { RemovalPolicy } from 'aws-cdk-lib'
import { AttributeType, BillingMode, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb'
import { Construct } from 'constructs'

export interface StateTableProps {
  readonly tableName: string
  /** Whether DynamoDB refuses to delete it. */
  readonly deletionProtection: boolean
}

/**
 * Everything known of the accounts that is no secret. It outlives the stack: it holds who is registered. Only a deployment
 * that fails before there ever was a table takes it back, since a table of that name would block the next try.
 */
export class StateTable extends Construct {
  readonly table: Table

  constructor(scope: Construct, id: string, props: StateTableProps) {
    super(scope, id)
    this.table = new Table(this, 'Table', {
      tableName: props.tableName,
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'ttl',
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      encryption: TableEncryption.AWS_MANAGED,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
      deletionProtection: props.deletionProtection,
    })
  }
}
