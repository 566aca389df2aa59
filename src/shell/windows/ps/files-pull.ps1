# A file fetched over HTTP(S).

# Says yes to one certificate. No script: the question may come on a thread that runs none.
function IomsPin($pin) {
    $types = [type[]]@([object], [Security.Cryptography.X509Certificates.X509Certificate],
        [Security.Cryptography.X509Certificates.X509Chain], [Net.Security.SslPolicyErrors])
    $method = New-Object Reflection.Emit.DynamicMethod 'IomsPin', ([bool]), $types
    $code = $method.GetILGenerator()
    $call = [Reflection.Emit.OpCodes]::Call
    $code.Emit($call, [Security.Cryptography.SHA256].GetMethod('Create', [type[]]@()))
    $code.Emit([Reflection.Emit.OpCodes]::Ldarg_1)
    $code.Emit([Reflection.Emit.OpCodes]::Callvirt, $types[1].GetMethod('GetRawCertData', [type[]]@()))
    $code.Emit([Reflection.Emit.OpCodes]::Callvirt, [Security.Cryptography.HashAlgorithm].GetMethod('ComputeHash', [type[]]@(, [byte[]])))
    $code.Emit($call, [BitConverter].GetMethod('ToString', [type[]]@(, [byte[]])))
    $code.Emit([Reflection.Emit.OpCodes]::Ldstr, [string]$pin)
    $code.Emit($call, [string].GetMethod('op_Equality', [type[]]@([string], [string])))
    $code.Emit([Reflection.Emit.OpCodes]::Ret)
    $method.CreateDelegate([Net.Security.RemoteCertificateValidationCallback])
}

function IomsRequest([long]$offset) {
    # TLS 1.2, where this .NET has it.
    try { [Net.ServicePointManager]::SecurityProtocol = [Enum]::ToObject([Net.SecurityProtocolType], 3072) } catch { }
    [Net.ServicePointManager]::Expect100Continue = $false
    $request = [Net.WebRequest]::Create((IomsSaid 'url'))
    $request.Proxy = $null
    $request.AllowAutoRedirect = $false
    $request.KeepAlive = $false
    $request.Timeout = 30000
    $request.ReadWriteTimeout = 60000
    $pin = IomsSaid 'pin'
    if ($pin) {
        $pin = IomsPin $pin
        # A request's own is of .NET 4.5.
        if ([Net.HttpWebRequest].GetProperty('ServerCertificateValidationCallback')) { $request.ServerCertificateValidationCallback = $pin }
        else { [Net.ServicePointManager]::ServerCertificateValidationCallback = $pin }
    }
    # (More than an int is of .NET 4.)
    if ($offset -gt 0) { $request.AddRange($offset) }
    $request
}

# The answer; by what is wrong without one, another way is looked for.
function IomsFetch([long]$offset) {
    try { return (IomsRequest $offset).GetResponse() } catch {
        $why = IomsWhy $_
        # Its address is nobody's but ours.
        IomsQuit 83 ('the host can not fetch it: ' + $why.Replace((IomsSaid 'url'), 'the address'))
    }
}

function IomsPull($part, [long]$offset) {
    $size = [long](IomsSaid 'size')
    $info = [IO.FileInfo]$part
    if (-not $info.Exists -or $info.Length -lt $offset) { $offset = 0 }
    if ($offset -gt 2147483647 -and -not [Net.HttpWebRequest].GetMethod('AddRange', [type[]]@(, [long]))) { $offset = 0 }
    if ($offset -eq $size -and $info.Exists) { return }
    $answer = IomsFetch $offset
    $code = [int]$answer.StatusCode
    if ($code -ne 206 -and $code -ne 200) { IomsQuit 83 "the host can not fetch it: the controller said $code" }
    if ($code -eq 200) { $offset = 0 }
    $how = 'Open'
    if ($offset -eq 0) {
        [IO.File]::Delete($part)
        $how = 'CreateNew'
    }
    $file = New-Object IO.FileStream $part, $how, 'Write', 'None', 1048576
    try {
        $file.SetLength($offset)
        [void]$file.Seek($offset, 'Begin')
        $left = $size - $offset
        $stream = $answer.GetResponseStream()
        $buffer = New-Object byte[] 262144
        while ($left -gt 0) {
            # A connection that breaks leaves a part file to go on with.
            try { $count = $stream.Read($buffer, 0, [Math]::Min($buffer.Length, $left)) } catch { $count = 0 }
            if ($count -le 0) { break }
            $file.Write($buffer, 0, $count)
            $left -= $count
        }
    } finally { $file.Close() }
    try { $answer.Close() } catch { }
}
