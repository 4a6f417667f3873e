# coi-chat 1: chat messages of COI get the mark $Chat.
# Made by coi-config sieve; see coi-config(1).
require "imap4flags";
if anyof (exists "Chat-Version",
  header :matches :comparator "i;octet" "Message-ID"
    ["<chat$*", " <chat$*"],
  # the first message of the thread is a chat message
  header :matches :comparator "i;octet" "References"
    ["<chat$*", " <chat$*"])
{
	addflag "$Chat";
}
