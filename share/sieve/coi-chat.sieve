# coi-chat 1: chat messages of COI go to a folder of their own.
# Made by coi-config sieve; see coi-config(1).
require ["fileinto", "imap4flags", "mailbox"];
if anyof (exists "Chat-Version",
  header :matches :comparator "i;octet" "Message-ID"
    ["<chat$*", " <chat$*"],
  # the first message of the thread is a chat message
  header :matches :comparator "i;octet" "References"
    ["<chat$*", " <chat$*"])
{
	fileinto :flags "$Chat" :create "COI/Chats";
	stop;
}
