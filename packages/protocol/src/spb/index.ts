export { type ActivationTime, decodeActivationTime, encodeActivationTime } from "./activation-time.ts";
export { type ChannelList, channelListEntrySize, decodeChannelList, encodeChannelList } from "./channel-list.ts";
export {
  type ClientDelete,
  type ClientInfo,
  decodeClientDelete,
  decodeClientInfo,
  encodeClientDelete,
  encodeClientInfo,
} from "./client-info.ts";
export { type CtrlMsg, CtrlMsgType, decodeCtrlMsg, encodeCtrlMsg } from "./ctrl-msg.ts";
export { decodeMapEntry, encodeMapEntry, type MapEntry, MapEntryKind } from "./map-entry.ts";
export {
  decodePeerMsg,
  encodePeerMsg,
  MapDetail,
  PeerKind,
  PeerKnowledge,
  type PeerMsg,
  PeerPhase,
} from "./peer-msg.ts";
export {
  decodeRaftJoinRequest,
  decodeRaftJoinResponse,
  encodeRaftJoinRequest,
  encodeRaftJoinResponse,
  type RaftJoinRequest,
  type RaftJoinResponse,
} from "./raft-join.ts";
export { decodeRecords, encodeRecords, recordSize } from "./records.ts";
export { decodeServerInfo, encodeServerInfo, type ServerInfo } from "./server-info.ts";
export {
  decodeSubState,
  decodeSubStateDelete,
  decodeSubStateUpdate,
  encodeSubState,
  encodeSubStateDelete,
  encodeSubStateUpdate,
  readSubStateUpdate,
  type SubState,
  type SubStateDelete,
  type SubStateUpdate,
  type SubStateUpdateView,
  subStateUpdateSize,
  writeSubStateUpdate,
} from "./sub-state.ts";
export { faultToleranceSubject, partitionSubject, peerSubject, peersSubject } from "./subjects.ts";
