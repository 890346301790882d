export { readTransport, type Transport } from './transport.ts'
export { describeRemote, fetchBranch, findUpstream, type PushResult, pushCommit } from './upstream.ts'
