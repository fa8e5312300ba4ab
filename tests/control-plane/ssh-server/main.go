// ssh-server serves the git repositories of one machine over ssh, for tests: a host key, the keys that may enter, and
// nothing but git-upload-pack.
//
// In: -host-key FILE, -authorized-keys FILE (public keys, one a line). Out: the port that it listens on, on standard output;
// then it serves until its standard input ends.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/crypto/ssh"
)

func main() {
	hostKey := flag.String("host-key", "", "the server's private key")
	authorizedKeys := flag.String("authorized-keys", "", "the public keys that may enter")
	flag.Parse()
	config := &ssh.ServerConfig{PublicKeyCallback: allowing(read(*authorizedKeys))}
	key, err := ssh.ParsePrivateKey(read(*hostKey))
	if err != nil {
		log.Fatalf("%s: %v", *hostKey, err)
	}
	config.AddHostKey(key)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	for {
		connection, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go serve(connection, config)
	}
}

func read(file string) []byte {
	content, err := os.ReadFile(file)
	if err != nil {
		log.Fatal(err)
	}
	return content
}

func allowing(list []byte) func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) {
	return func(_ ssh.ConnMetadata, shown ssh.PublicKey) (*ssh.Permissions, error) {
		for rest := list; len(rest) > 0; {
			allowed, _, _, after, err := ssh.ParseAuthorizedKey(rest)
			if err != nil {
				break
			}
			if bytes.Equal(allowed.Marshal(), shown.Marshal()) {
				return nil, nil
			}
			rest = after
		}
		return nil, fmt.Errorf("no such key")
	}
}

func serve(connection net.Conn, config *ssh.ServerConfig) {
	_, channels, requests, err := ssh.NewServerConn(connection, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for asked := range channels {
		if asked.ChannelType() != "session" {
			_ = asked.Reject(ssh.UnknownChannelType, "sessions only")
			continue
		}
		channel, requests, err := asked.Accept()
		if err != nil {
			return
		}
		go session(channel, requests)
	}
}

// session runs one command, as sshd gives it to a shell.
func session(channel ssh.Channel, requests <-chan *ssh.Request) {
	defer channel.Close()
	var environment []string
	for request := range requests {
		switch request.Type {
		case "env":
			var variable struct{ Name, Value string }
			if ssh.Unmarshal(request.Payload, &variable) == nil && variable.Name == "GIT_PROTOCOL" {
				environment = append(environment, variable.Name+"="+variable.Value)
			}
			_ = request.Reply(true, nil)
		case "exec":
			var command struct{ Line string }
			if ssh.Unmarshal(request.Payload, &command) != nil || !strings.HasPrefix(command.Line, "git-upload-pack ") {
				_ = request.Reply(false, nil)
				return
			}
			_ = request.Reply(true, nil)
			code := run(channel, command.Line, environment)
			_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{code}))
			return
		default:
			_ = request.Reply(false, nil)
		}
	}
}

func run(channel ssh.Channel, line string, environment []string) uint32 {
	command := exec.Command("sh", "-c", line)
	command.Env = append(os.Environ(), environment...)
	command.Stdout, command.Stderr = channel, channel.Stderr()
	// Not `command.Stdin`: Run would then wait for a client that has nothing more to say.
	input, err := command.StdinPipe()
	if err != nil {
		return 255
	}
	go func() {
		_, _ = io.Copy(input, channel)
		_ = input.Close()
	}()
	if err := command.Run(); err != nil {
		if exit, ok := err.(*exec.ExitError); ok {
			return uint32(exit.ExitCode())
		}
		return 255
	}
	return 0
}
