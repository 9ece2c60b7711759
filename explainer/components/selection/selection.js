// Hands what the page has chosen to the components beside it, without sending their data again.

export default function ({ data: { channel, ...choice } }) {
  channelOf(channel).set(choice);
}
