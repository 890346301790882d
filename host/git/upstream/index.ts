export { isAncestor } from './ancestor.ts'
export { type PushResult, publishBranch, pushCommit, readTip } from './push.ts'
export { readTransport, type Transport } from './transport.ts'
export { describeRemote, fetchBranch, findPushRemote, findUpstream, listRemotes, readFetchAddress } from './upstream.ts'
